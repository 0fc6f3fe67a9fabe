import type { Endpoint } from '../../../tcp/address.ts';
import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';
import { type Attempt, BLOCKED, type Call } from '../../attempt.ts';
import type { Connection } from '../../connection.ts';
import { endpointsOf } from '../../destination.ts';
import type { TextFile } from '../../file.ts';
import { withFirst } from '../../first-endpoint.ts';

/**
 * connect(2): gives the socket a peer. It blocks only while the addresses of a host are being asked for.
 * @throws ErrnoError EINVAL ENETUNREACH EAFNOSUPPORT EAGAIN; those of `endpointsOf`
 */
export function connectTo(
  connection: Connection<UdpPcb>,
  address: string,
  call: Call,
): Attempt<void> {
  const { stack, pcb } = connection;
  return sendTo(connection, address, call, (endpoint) => stack.udp.connect(pcb, endpoint));
}

/** Has `address` be where datagrams go, in a manner that may be refused for some of the endpoints that it stands for. */
export function sendTo(
  { id, resolver }: Connection<UdpPcb>,
  address: string,
  { now }: Call,
  act: (endpoint: Endpoint) => void,
): Attempt<void> {
  const endpoints = endpointsOf(address.trim(), 'udp', resolver, id, now);
  return endpoints === BLOCKED ? BLOCKED : withFirst(endpoints, act);
}

/** An address written to it is the peer from then on: nobody else is heard, and errors are told. */
export const udpConnect: TextFile<Connection<UdpPcb>> = {
  name: 'connect',
  stream: false,
  read: ({ pcb }) => (pcb.IS_CONNECTED === 1 ? 'connected' : 'not connected'),
  write: connectTo,
};
