import { ipv4PseudoHeaderSum } from '../../tcp/wire/checksum.ts';
import { Ipv4Header, PROTOCOL_TCP, parseIpv4 } from '../../tcp/wire/ipv4.ts';
import { parseTcp, TcpHeader } from '../../tcp/wire/tcp.ts';
import { must } from './violation.ts';

const ip = new Ipv4Header();

/** One packet as it left its host. Hosts go by number. */
export interface Packet {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
  readonly segment: TcpHeader;
}

/** The address of a host. */
export function addressOf(host: number): string {
  return `10.7.0.${host + 1}`;
}

/** The host of an address, u32. */
function hostOf(address: number): number {
  return (address & 0xff) - 1;
}

/**
 * @param bytes a packet that a host has sent, for good
 * @throws Violation it is no packet with a whole TCP segment
 */
export function packetOf(bytes: Uint8Array): Packet {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  must(parseIpv4(view, 0, bytes.length, ip), 'a host sent what is no IPv4 packet');
  must(ip.totalLength === bytes.length, 'a host sent a packet with a wrong length');
  must(ip.protocol === PROTOCOL_TCP, 'a host sent a packet that is not TCP');
  must(ip.dontFragment, 'a host sent a packet that may be fragmented');
  const { source, destination, headerLength } = ip;
  const length = ip.totalLength - headerLength;
  const sum = ipv4PseudoHeaderSum(source, destination, PROTOCOL_TCP, length);
  const segment = new TcpHeader();
  must(parseTcp(view, headerLength, length, sum, segment), 'a host sent a broken TCP segment');
  return { from: hostOf(source), to: hostOf(destination), bytes, segment };
}
