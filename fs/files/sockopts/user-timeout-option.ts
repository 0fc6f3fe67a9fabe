import { OFF_OR_ON, sockopt } from '../../sockopt.ts';

/** Whether the peer is told the user timeout, and heard when it tells its own (RFC 5482 section 3.1, ENABLED). */
export const userTimeoutOption = sockopt('user_timeout_option', 'UTO', OFF_OR_ON);
