import type { Host } from '../host.ts';
import {
  COMMON_OPTIONS,
  type CommonOptionName,
  checkOption,
  type SocketOption,
} from '../socket-option.ts';
import type { UdpPcb } from './udp-pcb.ts';

/** The value that holds, also when nobody has set it. */
export function getUdpOption(pcb: UdpPcb, name: CommonOptionName): number {
  const option: SocketOption<UdpPcb> = COMMON_OPTIONS[name];
  return pcb[name] === 0 && option.unset !== undefined ? option.unset(pcb) : pcb[name];
}

/** @throws TcpError EINVAL when the value is none of this option, or it is too late to set it */
export function setUdpOption(host: Host, pcb: UdpPcb, name: CommonOptionName, value: number): void {
  checkOption(host, pcb, COMMON_OPTIONS[name], value);
  pcb[name] = value;
  pcb.resizeBuffers();
  host.changed(pcb);
}
