import type { IpAddress } from './address.ts';
import type { Egress } from './egress.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { pseudoHeaderSum } from './wire/checksum.ts';
import { ECN_MASK, emitIp, ipHeaderLength } from './wire/ip.ts';
import { PROTOCOL_TCP } from './wire/ipv4.ts';
import { emitTcp, TcpHeader, tcpHeaderLength } from './wire/tcp.ts';

/** Kept to be used again for each segment. */
const tcp = new TcpHeader();

/** Of packets that belong to no connection: Linux's net.ipv4.ip_default_ttl. */
const DEFAULT_HOP_LIMIT = 64;

/** The header of the next segment of `pcb`: its ports, no flags, no options. The rest is the caller's to fill in. */
export function segmentOf(pcb: Pcb): TcpHeader {
  tcp.options.clear();
  tcp.sourcePort = pcb.LOCAL_PORT;
  tcp.destinationPort = pcb.REMOTE_PORT;
  tcp.flags = 0;
  tcp.ecn = 0;
  tcp.SEG_UP = 0;
  return tcp;
}

/**
 * Writes the segment with `header` and `length` bytes of the send stream from `offset`.
 * @param offset stream offset of its text
 * @param segmentSize bytes of text in each of the segments that it stands for, if there is more than one; `egress` cuts it then
 * @returns false when there is no room in `egress`
 */
export function writeSegment(
  host: Host,
  pcb: Pcb,
  header: TcpHeader,
  offset: number,
  length: number,
  egress: Egress,
  segmentSize = length,
): boolean {
  const { localAddress, remoteAddress } = pcb;
  const out: Egress = host.isOwn(remoteAddress) ? host.loopback : egress;
  const headers = ipHeaderLength(remoteAddress) + tcpHeaderLength(header);
  const at = out.reserve(headers + length);
  if (at < 0) return false;
  if (length > 0) pcb.sendStream.copy(offset, length, out.bytes, at + headers);
  const trafficClass = (pcb.TOS & ~ECN_MASK) | header.ecn;
  emitPacket(
    out.view,
    at,
    localAddress,
    remoteAddress,
    pcb.TTL,
    trafficClass,
    flowLabel(pcb),
    header,
    length,
    out.commitUnfinished !== undefined,
  );
  if (out.commitUnfinished === undefined) out.commit(headers + length);
  else out.commitUnfinished(headers + length, segmentSize);
  host.counters.TcpOutSegs += length > segmentSize ? Math.ceil(length / segmentSize) : 1;
  if (out === egress) countDeparture(host, headers + length);
  return true;
}

/** A packet of `length` bytes leaves by the interface. */
export function countDeparture({ counters }: Host, length: number): void {
  counters.IpOutRequests++;
  counters.IpExtOutOctets += length;
}

/** A whole packet with a segment that belongs to no connection. Its text, if it has any, is zeros. */
export function packetOf(
  source: IpAddress,
  destination: IpAddress,
  header: TcpHeader,
  length = 0,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(ipHeaderLength(destination) + tcpHeaderLength(header) + length);
  const view = new DataView(packet.buffer);
  emitPacket(view, 0, source, destination, DEFAULT_HOP_LIMIT, 0, 0, header, length, false);
  return packet;
}

/** Writes both headers before the text, which is in place. */
function emitPacket(
  view: DataView,
  at: number,
  source: IpAddress,
  destination: IpAddress,
  hopLimit: number,
  trafficClass: number,
  label: number,
  header: TcpHeader,
  length: number,
  isUnfinished: boolean,
): void {
  const size = tcpHeaderLength(header) + length;
  const tcpAt =
    at + emitIp(view, at, source, destination, PROTOCOL_TCP, hopLimit, trafficClass, label, size);
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, size);
  emitTcp(view, tcpAt, header, length, sum, isUnfinished);
}

/**
 * One for all packets of a connection, spread evenly over the 20 bits (RFC 6437 section 3). It follows from the ISS, which
 * nobody can guess and which every packet's reader may know.
 */
function flowLabel(pcb: Pcb): number {
  return Math.imul(pcb.ISS, 0x9e3779b1) >>> 12;
}
