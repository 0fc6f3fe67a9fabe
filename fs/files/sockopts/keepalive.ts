import { OFF_OR_ON, sockopt } from '../../sockopt.ts';

/** Whether an idle peer is asked if it is still there (SO_KEEPALIVE). */
export const keepalive = sockopt('keepalive', 'KEEPALIVE', OFF_OR_ON);
