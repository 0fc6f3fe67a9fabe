import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';
import type { Connection } from '../../connection.ts';
import type { TextFile } from '../../file.ts';
import { endpoint } from '../../input.ts';

/**
 * connect(2): gives the socket a peer.
 * @throws ErrnoError EINVAL ENETUNREACH EAFNOSUPPORT EAGAIN
 */
export function connectTo({ stack, pcb }: Connection<UdpPcb>, address: string): void {
  stack.udp.connect(pcb, endpoint(address, 'udp'));
}

/** An address written to it is the peer from then on: nobody else is heard, and errors are told. */
export const udpConnect: TextFile<Connection<UdpPcb>> = {
  name: 'connect',
  stream: false,
  read: ({ pcb }) => (pcb.IS_CONNECTED === 1 ? 'connected' : 'not connected'),
  write: connectTo,
};
