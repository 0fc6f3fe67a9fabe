import { ICMP_HEADER_LENGTH, type IcmpVersion } from './icmp.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_ICMP } from './ipv4.ts';

/** Types (RFC 792). */
const ICMP_ECHO_REPLY = 0;
export const ICMP_DESTINATION_UNREACHABLE = 3;
const ICMP_SOURCE_QUENCH = 4;
const ICMP_REDIRECT = 5;
const ICMP_ECHO = 8;
const ICMP_TIME_EXCEEDED = 11;
const ICMP_PARAMETER_PROBLEM = 12;

/** Codes of destination unreachable (RFC 792; RFC 1122 section 3.2.2.1). */
export const ICMP_PROTOCOL_UNREACHABLE = 2;
const ICMP_PORT_UNREACHABLE = 3;
const ICMP_FRAGMENTATION_NEEDED = 4;

/** RFC 1122 section 3.2.2. */
const ERRORS: ReadonlySet<number> = new Set([
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_SOURCE_QUENCH,
  ICMP_REDIRECT,
  ICMP_TIME_EXCEEDED,
  ICMP_PARAMETER_PROBLEM,
]);

export const ICMPV4: IcmpVersion = {
  protocol: PROTOCOL_ICMP,
  echoRequest: ICMP_ECHO,
  echoReply: ICMP_ECHO_REPLY,
  destinationUnreachable: ICMP_DESTINATION_UNREACHABLE,
  portUnreachable: ICMP_PORT_UNREACHABLE,
  timeExceeded: ICMP_TIME_EXCEEDED,
  // The datagram that carries it is no longer than 576 (RFC 1812 section 4.3.2.3).
  maxQuotedLength: 576 - IPV4_HEADER_LENGTH - ICMP_HEADER_LENGTH,
  isError: (type) => ERRORS.has(type),
  isPacketTooBig: (type, code) =>
    type === ICMP_DESTINATION_UNREACHABLE && code === ICMP_FRAGMENTATION_NEEDED,
  nextHopMtu: (parameter) => parameter & 0xffff,
  pseudoHeaderSum: () => 0,
};
