import { ErrnoError } from '../../tcp/errno.ts';
import { State } from '../../tcp/state.ts';
import { type Attempt, BLOCKED } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { TextFile } from '../file.ts';
import { POLLERR, READABLE } from '../poll.ts';

/**
 * The connection that has waited longest. It belongs to whom the listener belongs to.
 * @throws ErrnoError EINVAL not listening; ENFILE ENOBUFS its owner has too much, and it waits on
 */
export function acceptOne({ pcb, stack, connections, node }: Connection): Attempt<Connection> {
  if (pcb.STATE !== State.LISTEN) throw new ErrnoError('EINVAL');
  if (stack.acceptable(pcb)) connections.checkUser(node);
  const child = stack.accept(pcb);
  return child === undefined ? BLOCKED : connections.adopt(child, node);
}

/** Blocks until somebody has connected, then says the new connection's name: one for each open. */
export const accept: TextFile<Connection> = {
  name: 'accept',
  stream: false,
  read: (listener) => {
    const accepted = acceptOne(listener);
    return accepted === BLOCKED ? BLOCKED : accepted.name;
  },
  poll: ({ pcb, stack }) => {
    if (pcb.STATE !== State.LISTEN) return READABLE | POLLERR;
    return stack.acceptable(pcb) ? READABLE : 0;
  },
  news: ({ pcb, stack }) => ({ arrivals: stack.lastWaiting(pcb), refusals: 0 }),
};
