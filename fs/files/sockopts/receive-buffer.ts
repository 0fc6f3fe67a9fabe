import { commonSockopt, DECIMAL } from '../../sockopt.ts';

/** Most bytes received and not read; once set it no longer grows (SO_RCVBUF). */
export const receiveBuffer = commonSockopt('receive_buffer_bytes', 'RCVBUF', DECIMAL);
