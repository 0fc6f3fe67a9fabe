import { OFF_OR_ON, sockopt } from '../../sockopt.ts';

/** Whether small segments leave at once (TCP_NODELAY). */
export const nodelay = sockopt('nodelay', 'NODELAY', OFF_OR_ON);
