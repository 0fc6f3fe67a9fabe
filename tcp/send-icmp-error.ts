import type { IpAddress } from './address.ts';
import type { Host } from './host.ts';
import { icmpOf, sendIcmp } from './send-icmp.ts';
import { ICMP_PROTOCOL_UNREACHABLE } from './wire/icmpv4.ts';
import { ICMPV6_PARAMETER_PROBLEM } from './wire/icmpv6.ts';
import { PROTOCOL_UDP } from './wire/ipv4.ts';
import { Problem } from './wire/ipv6.ts';
import { findUpperLayer } from './wire/upper-layer.ts';

/** A code of time exceeded (RFC 792, RFC 4443 section 3.3). */
const REASSEMBLY_TIME_EXCEEDED = 1;

/**
 * Nobody takes packets of this protocol or port here (RFC 1122 sections 3.2.2.1 and 4.1.3.1, RFC 4443 section 3.1). IPv6
 * calls a protocol that it does not know a next header not recognized (RFC 8200 section 4).
 * @param source of the packet at bytes[offset, offset + length), which is whole
 * @param protocolAt where in the packet it says which one
 */
export function nobodyTakes(
  host: Host,
  source: IpAddress,
  protocol: number,
  protocolAt: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  now: number,
): void {
  const { destinationUnreachable, portUnreachable } = icmpOf(source);
  if (protocol === PROTOCOL_UDP) {
    const type = destinationUnreachable;
    sendError(host, source, type, portUnreachable, 0, bytes, offset, length, now);
  } else if (source.isIpv4) {
    const type = destinationUnreachable;
    sendError(host, source, type, ICMP_PROTOCOL_UNREACHABLE, 0, bytes, offset, length, now);
  } else {
    const problem = Problem.UNRECOGNIZED_NEXT_HEADER;
    parameterProblem(host, source, problem, protocolAt, bytes, offset, length, now);
  }
}

/** Tells the sender of an IPv6 packet what is the matter with it, and where (RFC 4443 section 3.4). */
export function parameterProblem(
  host: Host,
  source: IpAddress,
  problem: number,
  problemAt: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  now: number,
): void {
  const type = ICMPV6_PARAMETER_PROBLEM;
  sendError(host, source, type, problem, problemAt, bytes, offset, length, now);
}

/**
 * The other fragments of a datagram have not come in time.
 * @param first its first fragment
 */
export function timeExceeded(host: Host, source: IpAddress, first: Uint8Array, now: number): void {
  const type = icmpOf(source).timeExceeded;
  sendError(host, source, type, REASSEMBLY_TIME_EXCEEDED, 0, first, 0, first.length, now);
}

/**
 * Quotes as much of the packet as it may, and not too often (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 f). That it came
 * from one host to our address, its reader has made sure.
 */
function sendError(
  host: Host,
  destination: IpAddress,
  type: number,
  code: number,
  parameter: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  now: number,
): void {
  if (isError(destination, bytes, offset, length) || !host.icmpErrors.take(now)) return;
  const quotedLength = Math.min(length, icmpOf(destination).maxQuotedLength);
  sendIcmp(host, destination, type, code, parameter, bytes, offset, quotedLength);
}

/** Whether the packet is an ICMP error itself: two hosts could go on for ever (RFC 1122 section 3.2.2, RFC 4443 section 2.4 e). */
function isError(source: IpAddress, bytes: Uint8Array, offset: number, length: number): boolean {
  const icmp = icmpOf(source);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const upper = findUpperLayer(view, offset, length);
  if (upper?.protocol !== icmp.protocol || upper.at >= length) return false;
  return icmp.isError(bytes[offset + upper.at]!);
}
