import type { Host } from './host.ts';
import { parameterProblem, timeExceeded } from './send-icmp-error.ts';
import { joinFragments, MAX_PACKET_LENGTH } from './wire/fragments.ts';
import { ICMP_HEADER_LENGTH } from './wire/icmp.ts';
import { PROTOCOL_ICMPV6 } from './wire/icmpv6.ts';
import type { IpHeader } from './wire/ip.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from './wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, Ipv6Header, Problem } from './wire/ipv6.ts';
import { TCP_HEADER_LENGTH } from './wire/tcp.ts';
import { UDP_HEADER_LENGTH } from './wire/udp.ts';
import { findUpperLayer } from './wire/upper-layer.ts';

/** Of IPv6's first header: where its payload length is, bytes from the start. */
const PAYLOAD_LENGTH_AT = 4;
/** Of the fragment header: where its fragment offset is, bytes from its start. */
const FRAGMENT_OFFSET_AT = 2;

/** Bytes that must come with the first fragment, by protocol. */
const UPPER_LAYER_HEADER_LENGTH: ReadonlyMap<number, number> = new Map([
  [PROTOCOL_TCP, TCP_HEADER_LENGTH],
  [PROTOCOL_UDP, UDP_HEADER_LENGTH],
  [PROTOCOL_ICMPV6, ICMP_HEADER_LENGTH],
]);

/**
 * A fragment to us (RFC 791 section 3.2, RFC 8200 section 4.5).
 * @param header of the packet at bytes[offset ...]
 * @returns the whole packet, if this was the last part missing
 */
export function fragmentArrives(
  host: Host,
  header: IpHeader,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  now: number,
): Uint8Array | undefined {
  host.counters.IpReasmReqds++;
  const { source, identification, headerLength, totalLength, fragmentOffset } = header;
  const length = totalLength - headerLength;
  if (length === 0) return undefined;
  if (header instanceof Ipv6Header) {
    const [problem, problemAt] = problemOf(header, view, offset);
    if (problem !== Problem.NONE) {
      parameterProblem(host, source, problem, problemAt, bytes, offset, totalLength, now);
      return undefined;
    }
  } else if (header.moreFragments && length % 8 !== 0) return undefined;
  const fragment = {
    packet: new Uint8Array(bytes.subarray(offset, offset + totalLength)),
    payloadAt: headerLength,
    start: fragmentOffset,
    end: fragmentOffset + length,
    isLast: !header.moreFragments,
  };
  // IPv4 counts its identifications by protocol (RFC 791 section 2.3), IPv6 does not.
  const label = source.isIpv4 ? `${header.protocol} ${identification}` : `${identification}`;
  const fragments = host.reassembly.arrives(source, label, fragment, now);
  if (fragments === undefined) return undefined;
  host.counters.IpReasmOKs++;
  return joinFragments(fragments);
}

/**
 * What is wrong with a fragment of IPv6: that it has no multiple of 8 bytes and is not the last, or that the whole would be
 * too long. And the first must have all headers, so that firewalls can judge it (RFC 7112 section 5).
 * @returns one of `Problem`, and where it is
 */
function problemOf(header: Ipv6Header, view: DataView, offset: number): [number, number] {
  const { headerLength, totalLength, fragmentOffset, moreFragments, unfragmentableLength } = header;
  const length = totalLength - headerLength;
  if (moreFragments && length % 8 !== 0) return [Problem.ERRONEOUS_FIELD, PAYLOAD_LENGTH_AT];
  const payloadLength = unfragmentableLength - IPV6_HEADER_LENGTH + fragmentOffset + length;
  if (payloadLength > MAX_PACKET_LENGTH) {
    return [Problem.ERRONEOUS_FIELD, unfragmentableLength + FRAGMENT_OFFSET_AT];
  }
  if (fragmentOffset === 0 && !hasWholeHeaderChain(view, offset, totalLength)) {
    return [Problem.INCOMPLETE_HEADER_CHAIN, 0];
  }
  return [Problem.NONE, 0];
}

function hasWholeHeaderChain(view: DataView, offset: number, length: number): boolean {
  const upper = findUpperLayer(view, offset, length);
  if (upper === undefined) return false;
  return upper.at + (UPPER_LAYER_HEADER_LENGTH.get(upper.protocol) ?? 0) <= length;
}

/**
 * Gives up datagrams that have waited too long. Their senders are told if the first fragment came, for without it nobody
 * could know what it was about (RFC 1122 section 3.3.2, RFC 8200 section 4.5).
 */
export function reassemblyTimeouts(host: Host, now: number): void {
  for (;;) {
    const datagram = host.reassembly.takeExpired(now);
    if (datagram === undefined) return;
    host.counters.IpReasmFails++;
    const { source, first } = datagram;
    if (first !== undefined) timeExceeded(host, source, first.packet, now);
  }
}
