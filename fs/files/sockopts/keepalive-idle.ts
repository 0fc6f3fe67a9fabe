import { DECIMAL, sockopt } from '../../sockopt.ts';

/** How long the peer is silent before it is asked (TCP_KEEPIDLE). */
export const keepaliveIdle = sockopt('keepalive_idle_ms', 'KEEPALIVE_IDLE', DECIMAL);
