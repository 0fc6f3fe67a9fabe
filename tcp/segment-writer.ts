import type { Egress } from './egress.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { ipv4PseudoHeaderSum } from './wire/checksum.ts';
import { emitIpv4, IPV4_HEADER_LENGTH, Ipv4Header, PROTOCOL_TCP } from './wire/ipv4.ts';
import { emitTcp, TcpHeader, tcpHeaderLength } from './wire/tcp.ts';

/** Kept to be used again for each segment. */
const ip = new Ipv4Header();
const tcp = new TcpHeader();

/** The header of the next segment of `pcb`: its ports, no flags, no options. The rest is the caller's to fill in. */
export function segmentOf(pcb: Pcb): TcpHeader {
  tcp.options.clear();
  tcp.sourcePort = pcb.LOCAL_PORT;
  tcp.destinationPort = pcb.REMOTE_PORT;
  tcp.flags = 0;
  tcp.SEG_UP = 0;
  return tcp;
}

/**
 * Writes the segment with `header` and `length` bytes of the send stream from `offset`.
 * @param offset stream offset of its text
 * @returns false when there is no room in `egress`
 */
export function writeSegment(
  host: Host,
  pcb: Pcb,
  header: TcpHeader,
  offset: number,
  length: number,
  egress: Egress,
): boolean {
  const out = pcb.REMOTE_ADDRESS_3 === host.address.ipv4 ? host.loopback : egress;
  const headers = IPV4_HEADER_LENGTH + tcpHeaderLength(header);
  const at = out.reserve(headers + length);
  if (at < 0) return false;
  if (length > 0) pcb.sendStream.copy(offset, length, out.bytes, at + headers);
  ip.typeOfService = pcb.TOS;
  ip.timeToLive = pcb.TTL;
  ip.source = pcb.LOCAL_ADDRESS_3;
  ip.destination = pcb.REMOTE_ADDRESS_3;
  emitPacket(out.view, at, header, length);
  out.commit(headers + length);
  return true;
}

/**
 * A whole packet with a segment that has no text and belongs to no connection.
 * @param source IPv4 address as u32
 * @param destination IPv4 address as u32
 */
export function packetOf(source: number, destination: number, header: TcpHeader): Uint8Array {
  const packet = new Uint8Array(IPV4_HEADER_LENGTH + tcpHeaderLength(header));
  ip.typeOfService = 0;
  ip.timeToLive = 64;
  ip.source = source;
  ip.destination = destination;
  emitPacket(new DataView(packet.buffer), 0, header, 0);
  return packet;
}

/** Writes both headers before the text, which is in place. */
function emitPacket(view: DataView, at: number, header: TcpHeader, length: number): void {
  const segmentLength = tcpHeaderLength(header) + length;
  ip.totalLength = IPV4_HEADER_LENGTH + segmentLength;
  // RFC 6864 section 4.1: a datagram that is never fragmented needs no identification.
  ip.identification = 0;
  ip.dontFragment = true;
  ip.protocol = PROTOCOL_TCP;
  emitIpv4(view, at, ip);
  const sum = ipv4PseudoHeaderSum(ip.source, ip.destination, PROTOCOL_TCP, segmentLength);
  emitTcp(view, at + IPV4_HEADER_LENGTH, header, length, sum);
}
