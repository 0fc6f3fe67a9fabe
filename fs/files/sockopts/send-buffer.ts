import { commonSockopt, DECIMAL } from '../../sockopt.ts';

/** Most bytes sent and not acknowledged (SO_SNDBUF). */
export const sendBuffer = commonSockopt('send_buffer_bytes', 'SNDBUF', DECIMAL);
