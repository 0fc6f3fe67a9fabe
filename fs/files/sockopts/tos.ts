import { commonSockopt, DECIMAL } from '../../sockopt.ts';

/** IPv4's type of service, IPv6's traffic class, without the bits of ECN (IP_TOS, IPV6_TCLASS). */
export const tos = commonSockopt('tos', 'TOS', DECIMAL);
