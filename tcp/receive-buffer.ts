import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';

/**
 * The user has read. Makes the receive buffer as large as the path and the reader can use: twice what the reader takes in
 * a round-trip time, and twice that again, because a sender in slow start doubles (M. Fisk and W. Feng, _Dynamic
 * Right-Sizing in TCP_, 2001; Linux's tcp_rcv_space_adjust). A reader that is slow is never given more. It does not
 * shrink: what has been offered stays offered.
 */
export function adjustReceiveBuffer(host: Host, pcb: Pcb, now: number): void {
  if (pcb.RCVBUF !== 0 || pcb.receiveBuffer >= host.receiveBufferMax) return;
  const roundTrip = pcb.SRTT === 0 ? pcb.RTO : pcb.SRTT;
  if (now - pcb.READ_SINCE < roundTrip) return;
  const read = pcb.RECEIVE_START - pcb.READ_FROM;
  if (pcb.READ_SINCE !== 0 && 2 * read > pcb.receiveBuffer) {
    pcb.receiveBuffer = Math.min(host.receiveBufferMax, 4 * read);
  }
  pcb.READ_SINCE = now;
  pcb.READ_FROM = pcb.RECEIVE_START;
}
