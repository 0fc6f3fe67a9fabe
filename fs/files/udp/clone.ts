import { cloneOf } from '../clone.ts';
import { newSocketOf } from '../new-socket.ts';

/** As in `tcp/`. */
export const udpClone = cloneOf(({ udpSockets }) => udpSockets);

export const udpNewSocket = newSocketOf(udpClone);
