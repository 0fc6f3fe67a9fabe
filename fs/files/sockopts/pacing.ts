import { OFF_OR_ON, sockopt } from '../../sockopt.ts';

/** Whether text is spread over the round trip instead of leaving in bursts. */
export const pacing = sockopt('pacing', 'PACING', OFF_OR_ON);
