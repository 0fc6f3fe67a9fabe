import { InSize, UNIQUE_RESEND } from '../protocol.ts';
import type { Request } from '../request.ts';

/**
 * struct fuse_interrupt_in: the `unique` of a request whose program has had a signal. No reply: the kernel looks at one only for
 * ENOSYS, which turns interrupts off, and EAGAIN, which has it asked again (fs/fuse/dev.c, fuse_dev_do_write). Asking again is
 * never needed, for an INTERRUPT is made only when its request has been read: when it is neither waiting nor about to be served, it
 * has been answered.
 * @returns the key of that request; undefined when malformed
 */
export function interruptTarget(request: Request): number | undefined {
  if (request.bodyLength < InSize.interrupt) return undefined;
  // The request may itself be one that is delivered again.
  return request.u32(0) + (request.u32(4) & ~UNIQUE_RESEND) * 0x1_0000_0000;
}
