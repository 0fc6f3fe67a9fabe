import { ErrnoError } from './errno.ts';

/** A user call (RFC 9293 section 3.9.1, or of UDP) that cannot be done. What goes wrong later is in `pcb.ERROR`. */
export class TcpError extends ErrnoError {}
