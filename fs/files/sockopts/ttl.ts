import { commonSockopt, DECIMAL } from '../../sockopt.ts';

/** IPv4's time to live, IPv6's hop limit (IP_TTL, IPV6_UNICAST_HOPS). */
export const ttl = commonSockopt('ttl', 'TTL', DECIMAL);
