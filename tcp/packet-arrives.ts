import { fragmentArrives } from './fragment-arrives.ts';
import type { Host } from './host.ts';
import { icmpArrives } from './icmp-arrives.ts';
import { BARE, type Ingress } from './ingress.ts';
import { segmentArrives } from './segment-arrives.ts';
import { icmpOf } from './send-icmp.ts';
import { nobodyTakes, parameterProblem } from './send-icmp-error.ts';
import { udpArrives } from './udp/udp-arrives.ts';
import { pseudoHeaderSum } from './wire/checksum.ts';
import { ECN_MASK, type IpHeader, ipVersion } from './wire/ip.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP, parseIpv4 } from './wire/ipv4.ts';
import { Problem, parseIpv6 } from './wire/ipv6.ts';
import { parseTcp, UNCHECKED } from './wire/tcp.ts';

/** Packets mostly come in the same memory: its view is made once. */
let lastBytes: Uint8Array = new Uint8Array(0);
let lastView: DataView = new DataView(lastBytes.buffer);

function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== lastBytes) {
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    lastBytes = bytes;
  }
  return lastView;
}

/** One IP packet at bytes[offset, offset + length), of either version. What is of another, or is broken, is dropped without a word. */
export function packetArrives(
  host: Host,
  bytes: Uint8Array,
  offset: number,
  length: number,
  now: number,
  ingress: Ingress,
): void {
  const view = viewOf(bytes);
  switch (ipVersion(view, offset, length)) {
    case 4:
      if (!parseIpv4(view, offset, length, host.ipv4Header)) return;
      if (isForUs(host, host.ipv4Header)) {
        datagramArrives(host, host.ipv4Header, bytes, view, offset, now, ingress);
      }
      break;
    case 6:
      ipv6Arrives(host, bytes, view, offset, length, now, ingress);
      break;
  }
}

/** RFC 8200, and who sent what cannot be read is told so. */
function ipv6Arrives(
  host: Host,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  now: number,
  ingress: Ingress,
): void {
  const header = host.ipv6Header;
  const isGood = parseIpv6(view, offset, length, header);
  const { problem, problemAt, source } = header;
  if (!isGood && problem === Problem.NONE) return;
  // An IPv4-mapped source would pass for IPv4's, and no packet may have one (RFC 4942 section 2.2).
  if (source.isIpv4 || !isForUs(host, header)) return;
  if (isGood) datagramArrives(host, header, bytes, view, offset, now, ingress);
  else parameterProblem(host, source, problem, problemAt, bytes, offset, length, now);
}

/**
 * RFC 1122 section 3.2.1.3: what is not for our address is dropped in silence, and what a reply would go to nobody for, or to
 * everybody.
 */
function isForUs(host: Host, { source, destination }: IpHeader): boolean {
  return host.isOwn(destination) && host.isUnicast(source);
}

function datagramArrives(
  host: Host,
  header: IpHeader,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  now: number,
  ingress: Ingress,
): void {
  if (header.isFragment) {
    const whole = fragmentArrives(host, header, bytes, view, offset, now);
    if (whole !== undefined) packetArrives(host, whole, 0, whole.length, now, BARE);
    return;
  }
  const { source, destination, protocol, protocolAt, headerLength, totalLength } = header;
  const payload = offset + headerLength;
  const payloadLength = totalLength - headerLength;
  switch (protocol) {
    case PROTOCOL_TCP: {
      const { segment } = host;
      const sum = ingress.isVouchedFor
        ? UNCHECKED
        : pseudoHeaderSum(source, destination, PROTOCOL_TCP, payloadLength);
      host.counters.TcpInSegs++;
      if (!parseTcp(view, payload, payloadLength, sum, segment)) {
        host.counters.TcpInErrs++;
        return;
      }
      segment.ecn = header.trafficClass & ECN_MASK;
      if (ingress.segmentSize > 0) {
        segment.parts = Math.max(1, Math.ceil(segment.payloadLength / ingress.segmentSize));
        host.counters.TcpInSegs += segment.parts - 1;
      }
      segmentArrives(host, source, segment, bytes, now);
      break;
    }
    case icmpOf(source).protocol:
      icmpArrives(host, bytes, view, payload, payloadLength, source, now);
      break;
    case PROTOCOL_UDP:
      if (!udpArrives(host, source, destination, bytes, view, payload, payloadLength, ingress)) {
        nobodyTakes(host, source, protocol, protocolAt, bytes, offset, totalLength, now);
      }
      break;
    default:
      nobodyTakes(host, source, protocol, protocolAt, bytes, offset, totalLength, now);
  }
}
