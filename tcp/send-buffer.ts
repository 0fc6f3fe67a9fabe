import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';

/**
 * The window may have grown. Makes the send buffer hold what may be in flight twice: one flight is kept until it is
 * acknowledged, and the next has to be there by then (Linux's tcp_sndbuf_expand). It does not shrink.
 */
export function adjustSendBuffer(host: Host, pcb: Pcb): void {
  if (pcb.SNDBUF !== 0) return;
  const wanted = Math.min(host.sendBufferMax, 2 * pcb.cwnd);
  if (wanted > pcb.sendBuffer) pcb.sendBuffer = wanted;
}

/**
 * Whether a writer who waits for room is to be told of some: a third of the buffer, and not of every few bytes, for each of which he
 * would hand over again all that he has (Linux's sk_stream_write_space).
 */
export function isWorthWriting(pcb: Pcb): boolean {
  return 2 * pcb.sendSpace >= pcb.SEND_END - pcb.SEND_START;
}
