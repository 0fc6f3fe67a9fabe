import type { Pcb } from '../tcp/pcb.ts';
import type { UdpPcb } from '../tcp/udp/udp-pcb.ts';
import { CONNECTION_FILES, UDP_SOCKET_FILES } from './files.ts';
import { TCP, UDP } from './node-id.ts';
import type { SocketKind } from './socket-kind.ts';
import { SOCKOPTS_FILES, UDP_SOCKOPTS_FILES } from './sockopts.ts';

export const TCP_CONNECTIONS: SocketKind<Pcb> = {
  name: 'tcp',
  node: TCP,
  protocolOf: (stack) => stack,
  files: CONNECTION_FILES,
  sockopts: SOCKOPTS_FILES,
};

export const UDP_SOCKETS: SocketKind<UdpPcb> = {
  name: 'udp',
  node: UDP,
  protocolOf: ({ udp }) => udp,
  files: UDP_SOCKET_FILES,
  sockopts: UDP_SOCKOPTS_FILES,
};
