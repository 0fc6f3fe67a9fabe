import { DECIMAL, sockopt } from '../../sockopt.ts';

/** Most bytes sent and not acknowledged (SO_SNDBUF). */
export const sendBuffer = sockopt('send_buffer_bytes', 'SNDBUF', DECIMAL);
