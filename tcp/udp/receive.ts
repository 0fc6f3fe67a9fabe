import type { Host } from '../host.ts';
import { copyFirst, type Datagram, discardFirst, firstDatagram } from './datagram-queue.ts';
import { tellError } from './tell-error.ts';
import type { UdpPcb } from './udp-pcb.ts';

/**
 * Takes the oldest datagram. What `target` does not hold of it is lost.
 * @returns what it was; undefined when there is none
 * @throws TcpError an error of the peer that nobody has been told
 */
export function receive(host: Host, pcb: UdpPcb, target: Uint8Array): Datagram | undefined {
  tellError(host, pcb);
  const datagram = firstDatagram(pcb);
  if (datagram === undefined) return undefined;
  copyFirst(pcb, datagram, 0, target);
  discardFirst(pcb, datagram);
  pcb.sourceAddress = datagram.source;
  pcb.SOURCE_PORT = datagram.sourcePort;
  return datagram;
}

/**
 * As `receive`, but the datagram can still be read.
 * @param from how many of its bytes are passed over
 * @returns how many bytes `target` got: 0 behind its end; undefined when there is none
 */
export function peek(pcb: UdpPcb, from: number, target: Uint8Array): number | undefined {
  const datagram = firstDatagram(pcb);
  return datagram && copyFirst(pcb, datagram, from, target);
}
