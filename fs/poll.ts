/** The event bits of poll(2), with the numbers of asm-generic/poll.h. */
export const POLLIN = 0x0001;
export const POLLPRI = 0x0002;
export const POLLOUT = 0x0004;
export const POLLERR = 0x0008;
export const POLLHUP = 0x0010;
export const POLLRDNORM = 0x0040;
export const POLLWRNORM = 0x0100;
export const POLLRDHUP = 0x2000;

/** A read would not block. */
export const READABLE = POLLIN | POLLRDNORM;
/** A write would not block. */
export const WRITABLE = POLLOUT | POLLWRNORM;
