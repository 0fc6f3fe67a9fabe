import { DECIMAL, sockopt } from '../../sockopt.ts';

/** How many questions go unanswered before the connection ends (TCP_KEEPCNT). */
export const keepaliveCount = sockopt('keepalive_count', 'KEEPALIVE_COUNT', DECIMAL);
