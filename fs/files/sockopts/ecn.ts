import { OFF_OR_ON, sockopt } from '../../sockopt.ts';

/** Whether `connect` asks the peer for explicit congestion notification (net.ipv4.tcp_ecn). */
export const ecn = sockopt('ecn', 'ECN', OFF_OR_ON);
