import { IpAddress } from './address.ts';
import type { Host } from './host.ts';
import { icmpv4Arrives, unreachable } from './icmpv4-arrives.ts';
import { icmpv6Arrives, parameterProblem, unreachable6 } from './icmpv6-arrives.ts';
import { segmentArrives } from './segment-arrives.ts';
import { ipv4PseudoHeaderSum, ipv6PseudoHeaderSum } from './wire/checksum.ts';
import { PROTOCOL_ICMPV6 } from './wire/icmpv6.ts';
import { ipVersion } from './wire/ip.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, parseIpv4 } from './wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, Problem, parseIpv6 } from './wire/ipv6.ts';
import { parseTcp } from './wire/tcp.ts';

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
): void {
  const view = viewOf(bytes);
  switch (ipVersion(view, offset, length)) {
    case 4:
      ipv4Arrives(host, bytes, view, offset, length, now);
      break;
    case 6:
      ipv6Arrives(host, bytes, view, offset, length, now);
      break;
  }
}

/** RFC 1122 section 3.2.1.3: what is not for our address is dropped in silence. So are fragments: no TCP of today sends them. */
function ipv4Arrives(
  host: Host,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  now: number,
): void {
  const header = host.ipv4Header;
  if (!parseIpv4(view, offset, length, header) || header.isFragment) return;
  if (header.destination !== host.address.ipv4) return;
  const source = IpAddress.fromIpv4(header.source);
  // A reply to such a source would go to nobody, or to everybody.
  if (!host.isUnicast(source)) return;

  const payload = offset + header.headerLength;
  const payloadLength = header.totalLength - header.headerLength;
  switch (header.protocol) {
    case PROTOCOL_TCP: {
      const { destination } = header;
      const sum = ipv4PseudoHeaderSum(header.source, destination, PROTOCOL_TCP, payloadLength);
      if (!parseTcp(view, payload, payloadLength, sum, host.segment)) return;
      segmentArrives(host, source, host.segment, bytes, now);
      break;
    }
    case PROTOCOL_ICMP:
      icmpv4Arrives(host, bytes, view, payload, payloadLength, source);
      break;
    default:
      unreachable(host, bytes, offset, header, now);
  }
}

/** The same for IPv6 (RFC 8200). An IPv4-mapped source would pass for IPv4's, and no packet may have one (RFC 4942 section 2.2). */
function ipv6Arrives(
  host: Host,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  now: number,
): void {
  const header = host.ipv6Header;
  const isWhole = parseIpv6(view, offset, length, header);
  if (!isWhole && header.problem === Problem.NONE) return;
  const { source, destination } = header;
  if (source.isIpv4 || !host.isOwn6(destination) || !host.isUnicast(source)) return;
  if (!isWhole) {
    parameterProblem(host, bytes, offset, length, header, now);
    return;
  }
  if (header.isFragment) return;

  const payload = offset + header.headerLength;
  const payloadLength = IPV6_HEADER_LENGTH + header.payloadLength - header.headerLength;
  switch (header.protocol) {
    case PROTOCOL_TCP: {
      const sum = ipv6PseudoHeaderSum(source, destination, PROTOCOL_TCP, payloadLength);
      if (!parseTcp(view, payload, payloadLength, sum, host.segment)) return;
      segmentArrives(host, source, host.segment, bytes, now);
      break;
    }
    case PROTOCOL_ICMPV6:
      icmpv6Arrives(host, bytes, view, payload, payloadLength, source);
      break;
    default:
      unreachable6(host, bytes, offset, header, now);
  }
}
