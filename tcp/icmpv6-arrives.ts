import type { IpAddress } from './address.ts';
import { errnoNumber } from './errno.ts';
import type { Host } from './host.ts';
import { connectionOfQuote, unreachableErrorArrives } from './icmp-error.ts';
import { ipv6PseudoHeaderSum } from './wire/checksum.ts';
import {
  emitIcmpv6,
  ICMPV6_DESTINATION_UNREACHABLE,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_HEADER_LENGTH,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_PORT_UNREACHABLE,
  type Icmpv6Message,
  MAX_QUOTED_LENGTH6,
  PROTOCOL_ICMPV6,
  parseIcmpv6,
} from './wire/icmpv6.ts';
import { emitIp } from './wire/ip.ts';
import { PROTOCOL_TCP } from './wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, Ipv6Header, Problem, parseQuotedIpv6 } from './wire/ipv6.ts';

/** Kept to be used again for each message. */
const quoted = new Ipv6Header();

/** Assigned protocol number (IANA, Protocol Numbers). */
const PROTOCOL_UDP = 17;

/**
 * An ICMPv6 message to us: an echo is answered (RFC 4443 section 4.2), an error goes to the connection it is about. A TUN has
 * no link-layer addresses, so there are no neighbors to discover (RFC 4861).
 */
export function icmpv6Arrives(
  host: Host,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  source: IpAddress,
): void {
  const message = host.icmpv6Message;
  const sum = ipv6PseudoHeaderSum(source, host.addressTowards(source), PROTOCOL_ICMPV6, length);
  if (!parseIcmpv6(view, offset, length, sum, message)) return;
  switch (message.type) {
    case ICMPV6_ECHO_REQUEST:
      answerEcho(host, bytes, message, source);
      break;
    case ICMPV6_DESTINATION_UNREACHABLE:
    case ICMPV6_PARAMETER_PROBLEM:
      errorArrives(host, view, message);
      break;
  }
}

function answerEcho(host: Host, bytes: Uint8Array, echo: Icmpv6Message, source: IpAddress): void {
  const { parameter, payloadOffset, payloadLength } = echo;
  send(host, source, ICMPV6_ECHO_REPLY, 0, parameter, bytes, payloadOffset, payloadLength);
}

/**
 * Nobody takes packets of this protocol or port here: a port is unreachable (RFC 4443 section 3.1), a next header not
 * recognized (RFC 8200 section 4). Not said too often (RFC 4443 section 2.4 f).
 */
export function unreachable6(
  host: Host,
  bytes: Uint8Array,
  offset: number,
  header: Ipv6Header,
  now: number,
): void {
  if (header.protocol !== PROTOCOL_UDP) {
    header.problem = Problem.UNRECOGNIZED_NEXT_HEADER;
    header.problemAt = header.protocolAt;
    const length = IPV6_HEADER_LENGTH + header.payloadLength;
    parameterProblem(host, bytes, offset, length, header, now);
    return;
  }
  if (!host.icmpErrors.take(now)) return;
  const length = Math.min(IPV6_HEADER_LENGTH + header.payloadLength, MAX_QUOTED_LENGTH6);
  const { source } = header;
  const type = ICMPV6_DESTINATION_UNREACHABLE;
  send(host, source, type, ICMPV6_PORT_UNREACHABLE, 0, bytes, offset, length);
}

/** Tells the sender of a packet what is the matter with it (RFC 4443 section 3.4). Not said too often. */
export function parameterProblem(
  host: Host,
  bytes: Uint8Array,
  offset: number,
  length: number,
  header: Ipv6Header,
  now: number,
): void {
  if (!host.icmpErrors.take(now)) return;
  const quotedLength = Math.min(length, MAX_QUOTED_LENGTH6);
  const { source, problem, problemAt } = header;
  const type = ICMPV6_PARAMETER_PROBLEM;
  send(host, source, type, problem, problemAt, bytes, offset, quotedLength);
}

/** A message whose payload is bytes[from, from + length). */
function send(
  host: Host,
  destination: IpAddress,
  type: number,
  code: number,
  parameter: number,
  bytes: Uint8Array,
  from: number,
  length: number,
): void {
  const source = host.addressTowards(destination);
  const size = ICMPV6_HEADER_LENGTH + length;
  const packet = new Uint8Array(IPV6_HEADER_LENGTH + size);
  const view = new DataView(packet.buffer);
  const at = emitIp(view, 0, source, destination, PROTOCOL_ICMPV6, 64, 0, 0, size);
  const sum = ipv6PseudoHeaderSum(source, destination, PROTOCOL_ICMPV6, size);
  emitIcmpv6(packet, view, at, type, code, parameter, bytes, from, length, sum);
  host.replies.push(packet, destination);
}

/** An error about a packet of ours (RFC 9293 section 3.9.2.2, RFC 8200 section 8). */
function errorArrives(host: Host, view: DataView, message: Icmpv6Message): void {
  const { payloadOffset, payloadLength } = message;
  if (!parseQuotedIpv6(view, payloadOffset, payloadLength, quoted)) return;
  if (quoted.protocol !== PROTOCOL_TCP || quoted.fragmentOffset !== 0) return;
  const at = payloadOffset + quoted.headerLength;
  const length = payloadLength - quoted.headerLength;
  const { source, destination } = quoted;
  const pcb = connectionOfQuote(host, view, at, length, source, destination);
  if (pcb !== undefined) unreachableErrorArrives(host, pcb, errnoOf(message));
}

/** Linux's icmpv6_err_convert (net/ipv6/icmp.c), by code of destination unreachable; 0: no error of the connection. */
const ERRNO_OF_UNREACHABLE = [
  errnoNumber('ENETUNREACH'),
  errnoNumber('EACCES'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('ECONNREFUSED'),
  errnoNumber('EACCES'),
  errnoNumber('EACCES'),
];

function errnoOf(message: Icmpv6Message): number {
  const { type, code } = message;
  if (type === ICMPV6_DESTINATION_UNREACHABLE) return ERRNO_OF_UNREACHABLE[code] ?? 0;
  return errnoNumber('EPROTO');
}
