import { errnoName } from '../errno.ts';
import type { Host } from '../host.ts';
import { TcpError } from '../tcp-error.ts';
import type { UdpPcb } from './udp-pcb.ts';

/**
 * As Linux tells errors (sock_error in include/net/sock.h): once, to whoever calls next.
 * @throws TcpError what ICMP has told of the peer
 */
export function tellError(host: Host, pcb: UdpPcb): void {
  const { ERROR } = pcb;
  if (ERROR === 0) return;
  pcb.ERROR = 0;
  host.changed(pcb);
  throw new TcpError(errnoName(ERROR) ?? 'EIO');
}
