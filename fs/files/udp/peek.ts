import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';
import { BLOCKED } from '../../attempt.ts';
import type { Connection } from '../../connection.ts';
import type { BytesFile } from '../../file.ts';
import { pollDatagrams } from './data.ts';

/** The datagram that `data` would give next, without taking it (recv(2), MSG_PEEK). Behind it is the end. */
export const udpPeek: BytesFile<Connection<UdpPcb>> = {
  name: 'peek',
  stream: false,
  readAt: ({ pcb, stack }, offset, target) => stack.udp.peek(pcb, offset, target) ?? BLOCKED,
  poll: pollDatagrams,
};
