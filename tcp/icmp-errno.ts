import { errnoNumber } from './errno.ts';
import { ICMP_DESTINATION_UNREACHABLE } from './wire/icmpv4.ts';
import { ICMPV6_DESTINATION_UNREACHABLE, ICMPV6_PARAMETER_PROBLEM } from './wire/icmpv6.ts';

/** Linux's icmp_err_convert (net/ipv4/icmp.c), by code of destination unreachable. */
const ERRNO_OF_UNREACHABLE4 = [
  errnoNumber('ENETUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  // Linux has ENOPROTOOPT here; connect(2) does not list it.
  errnoNumber('ECONNREFUSED'),
  errnoNumber('ECONNREFUSED'),
  // Fragmentation needed is about the path's MTU: see packet-too-big.ts.
  0,
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('ENETUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('ENETUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('ENETUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
];

/** Linux's icmpv6_err_convert (net/ipv6/icmp.c), by code of destination unreachable. */
const ERRNO_OF_UNREACHABLE6 = [
  errnoNumber('ENETUNREACH'),
  errnoNumber('EACCES'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('ECONNREFUSED'),
  errnoNumber('EACCES'),
  errnoNumber('EACCES'),
];

/** What an ICMP error means to the connection it is about, as in Linux; 0: nothing. */
export function errnoOfIcmpv4(type: number, code: number): number {
  return type === ICMP_DESTINATION_UNREACHABLE ? (ERRNO_OF_UNREACHABLE4[code] ?? 0) : 0;
}

/** The same for ICMPv6. */
export function errnoOfIcmpv6(type: number, code: number): number {
  switch (type) {
    case ICMPV6_DESTINATION_UNREACHABLE:
      return ERRNO_OF_UNREACHABLE6[code] ?? 0;
    case ICMPV6_PARAMETER_PROBLEM:
      return errnoNumber('EPROTO');
    default:
      return 0;
  }
}
