import { DECIMAL, sockopt } from '../../sockopt.ts';

/** How long an answer is waited for before it is asked again (TCP_KEEPINTVL). */
export const keepaliveInterval = sockopt('keepalive_interval_ms', 'KEEPALIVE_INTERVAL', DECIMAL);
