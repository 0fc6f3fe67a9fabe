import { ErrnoError } from '../../tcp/errno.ts';
import { State } from '../../tcp/state.ts';
import { BLOCKED } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { TextFile } from '../file.ts';
import { POLLERR, READABLE } from '../poll.ts';

/**
 * Blocks until somebody has connected, then says the new connection's name: one for each open. The new connection
 * belongs to whom the listener belongs to.
 */
export const accept: TextFile<Connection> = {
  name: 'accept',
  stream: false,
  read: ({ pcb, stack, connections, node }) => {
    if (pcb.STATE !== State.LISTEN) throw new ErrnoError('EINVAL');
    const child = stack.accept(pcb);
    return child === undefined ? BLOCKED : connections.adopt(child, node).name;
  },
  poll: ({ pcb, stack }) => {
    if (pcb.STATE !== State.LISTEN) return READABLE | POLLERR;
    return stack.acceptable(pcb) ? READABLE : 0;
  },
};
