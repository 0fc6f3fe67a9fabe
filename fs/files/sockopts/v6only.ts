import { commonSockopt, OFF_OR_ON } from '../../sockopt.ts';

/** Whether `[::]` stands for IPv6 alone; before `bind` only (IPV6_V6ONLY). */
export const v6only = commonSockopt('v6only', 'V6ONLY', OFF_OR_ON);
