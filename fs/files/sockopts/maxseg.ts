import { DECIMAL, sockopt } from '../../sockopt.ts';

/** Most bytes of text in a segment, either way (TCP_MAXSEG). */
export const maxseg = sockopt('maxseg_bytes', 'MAXSEG', DECIMAL);
