import { ipv6PseudoHeaderSum } from './checksum.ts';
import { ICMP_HEADER_LENGTH, type IcmpVersion } from './icmp.ts';
import { IPV6_HEADER_LENGTH, IPV6_MIN_MTU } from './ipv6.ts';

/** Assigned protocol number (IANA, Protocol Numbers). */
export const PROTOCOL_ICMPV6 = 58;

/** Types (RFC 4443 section 2.1; RFC 4861 section 4.5). */
export const ICMPV6_DESTINATION_UNREACHABLE = 1;
export const ICMPV6_PACKET_TOO_BIG = 2;
const ICMPV6_TIME_EXCEEDED = 3;
export const ICMPV6_PARAMETER_PROBLEM = 4;
const ICMPV6_ECHO_REQUEST = 128;
const ICMPV6_ECHO_REPLY = 129;
const ICMPV6_REDIRECT = 137;

/** Types from here on are informational. */
const FIRST_INFORMATIONAL = 128;

/** Code of destination unreachable (RFC 4443 section 3.1). */
const ICMPV6_PORT_UNREACHABLE = 4;

export const ICMPV6: IcmpVersion = {
  protocol: PROTOCOL_ICMPV6,
  echoRequest: ICMPV6_ECHO_REQUEST,
  echoReply: ICMPV6_ECHO_REPLY,
  destinationUnreachable: ICMPV6_DESTINATION_UNREACHABLE,
  portUnreachable: ICMPV6_PORT_UNREACHABLE,
  timeExceeded: ICMPV6_TIME_EXCEEDED,
  // The packet that carries it is no longer than the minimum MTU (RFC 4443 section 2.4 c).
  maxQuotedLength: IPV6_MIN_MTU - IPV6_HEADER_LENGTH - ICMP_HEADER_LENGTH,
  // A redirect is none, but no error may be sent about it either (RFC 4443 section 2.4 e).
  isError: (type) => type < FIRST_INFORMATIONAL || type === ICMPV6_REDIRECT,
  isPacketTooBig: (type) => type === ICMPV6_PACKET_TOO_BIG,
  nextHopMtu: (parameter) => parameter,
  pseudoHeaderSum: (source, destination, length) =>
    ipv6PseudoHeaderSum(source, destination, PROTOCOL_ICMPV6, length),
};
