import { DURABILITIES } from '../../../tcp/durability.ts';
import { commonSockopt, oneOf } from '../../sockopt.ts';

/** What the connection outlives: any death of the daemon's processes, or a crash of the host too. */
export const durability = commonSockopt('durability', 'DURABILITY', oneOf(DURABILITIES));
