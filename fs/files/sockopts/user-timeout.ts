import { DECIMAL, sockopt } from '../../sockopt.ts';

/** How long what was sent may go unacknowledged; 0: as long as RFC 9293 has it (TCP_USER_TIMEOUT). */
export const userTimeout = sockopt('user_timeout_ms', 'USER_TIMEOUT', DECIMAL);
