import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';
import type { Connection } from '../../connection.ts';
import { endpointLine } from '../../endpoint-line.ts';
import type { TextFile } from '../../file.ts';
import { sendTo } from './connect.ts';

/**
 * The peer. Without one: where the datagram came from that was read last, or nothing before that, and an address that is written
 * is where datagrams go from then on; nothing but a newline, that they go back to where the last one came from.
 */
export const udpRemote: TextFile<Connection<UdpPcb>> = {
  name: 'remote',
  stream: false,
  read: ({ pcb }) => endpointLine((pcb.IS_CONNECTED === 0 && pcb.source) || pcb.remote),
  write: (connection, text, call) => {
    const { stack, pcb } = connection;
    if (text.trim() === '') return stack.udp.setDestination(pcb, undefined);
    return sendTo(connection, text, call, (endpoint) => stack.udp.setDestination(pcb, endpoint));
  },
};
