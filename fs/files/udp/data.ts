import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';
import { BLOCKED } from '../../attempt.ts';
import type { Connection } from '../../connection.ts';
import type { StreamFile } from '../../file.ts';
import { POLLERR, READABLE, WRITABLE } from '../../poll.ts';
import { destinationOfHeaders, putHeaders, UDP_HEADERS_LENGTH } from '../../udp-headers.ts';

/**
 * One read is one datagram, of which is lost what the reader has no room for; one write is one datagram. Errors are told once, to
 * the next reader or writer.
 */
export const udpData: StreamFile<Connection<UdpPcb>> = {
  name: 'data',
  stream: true,
  read: ({ pcb, stack }, target) => {
    const head = headOf(pcb);
    const payload = target.subarray(head);
    const datagram = stack.udp.receive(pcb, payload);
    if (datagram === undefined) return BLOCKED;
    if (head > 0) putHeaders(target.subarray(0, head), datagram, pcb.LOCAL_PORT);
    return Math.min(head + datagram.length, target.length);
  },
  write: ({ pcb, stack }, source, { now }) => {
    const head = headOf(pcb);
    const to = head > 0 ? destinationOfHeaders(source) : undefined;
    return stack.udp.send(pcb, source.subarray(head), now, to) ? source.length : BLOCKED;
  },
  // As datagram_poll in net/core/datagram.c.
  poll: (connection) => pollDatagrams(connection) | (connection.pcb.isWritable ? WRITABLE : 0),
};

/** What poll(2) says of reading. */
export function pollDatagrams({ pcb }: Connection<UdpPcb>): number {
  return (pcb.ERROR !== 0 ? POLLERR : 0) | (pcb.isReadable ? READABLE : 0);
}

/** Bytes before each datagram. */
function headOf({ HEADERS }: UdpPcb): number {
  return HEADERS === 1 ? UDP_HEADERS_LENGTH : 0;
}
