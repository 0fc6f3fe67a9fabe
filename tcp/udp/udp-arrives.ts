import type { IpAddress } from '../address.ts';
import type { Host } from '../host.ts';
import type { Ingress } from '../ingress.ts';
import { parseUdp } from '../wire/udp.ts';
import { enqueue } from './datagram-queue.ts';
import type { UdpPcb } from './udp-pcb.ts';

/**
 * A UDP datagram to us, at bytes[offset, offset + length) behind the headers of IP.
 * @returns false when nobody takes it
 */
export function udpArrives(
  host: Host,
  source: IpAddress,
  destination: IpAddress,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  { isVouchedFor }: Ingress,
): boolean {
  const { udpHeader: header, counters } = host;
  if (!parseUdp(view, offset, length, source, destination, isVouchedFor, header)) {
    counters.UdpInErrors++;
    return true;
  }
  const { sourcePort, payloadOffset, payloadLength } = header;
  const pcb = host.udpSockets.find(destination, header.destinationPort);
  if (pcb === undefined || !hears(pcb, source, sourcePort)) {
    counters.UdpNoPorts++;
    return false;
  }
  const datagram = { source, sourcePort, destination, length: payloadLength };
  if (host.hasRoom && enqueue(pcb, datagram, bytes, payloadOffset)) {
    counters.UdpInDatagrams++;
    host.changed(pcb);
  } else {
    counters.UdpRcvbufErrors++;
    pcb.DROPS++;
  }
  return true;
}

/** Whoever has a peer hears nobody else. */
function hears(pcb: UdpPcb, source: IpAddress, port: number): boolean {
  return pcb.IS_CONNECTED === 0 || isPeer(pcb, source, port);
}

export function isPeer(pcb: UdpPcb, address: IpAddress, port: number): boolean {
  return pcb.IS_CONNECTED === 1 && pcb.REMOTE_PORT === port && pcb.remoteAddress.equals(address);
}
