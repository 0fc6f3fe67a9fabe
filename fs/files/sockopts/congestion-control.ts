import { CONGESTION_CONTROLS } from '../../../tcp/congestion-control/selected.ts';
import { oneOf, sockopt } from '../../sockopt.ts';

/** How the connection finds its sending rate, by the name that Linux has for it (TCP_CONGESTION). */
export const congestionControl = sockopt(
  'congestion_control',
  'CONGESTION_CONTROL',
  oneOf(CONGESTION_CONTROLS),
);
