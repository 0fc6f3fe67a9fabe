import { ErrnoError, errnoName } from '../tcp/errno.ts';
import { State } from '../tcp/state.ts';
import { type Attempt, BLOCKED, type Call } from './attempt.ts';
import type { Connection } from './connection.ts';
import { endpoint } from './input.ts';
import { POLLERR, POLLHUP, READABLE, WRITABLE } from './poll.ts';
import { isConnecting, isOver } from './progress.ts';

/** The note of a call that has dialed. */
const DIALED = 1;

/**
 * connect(2): dials, then waits until the connection is there or has failed.
 * @throws ErrnoError what connect(2) would fail with; EINPROGRESS, having dialed, when the call may not block
 */
export function dial(connection: Connection, address: string, call: Call): Attempt<void> {
  if (call.note === DIALED) return outcome(connection);
  const remote = endpoint(address);
  connection.stack.connect(connection.pcb, remote, call.now);
  if (connection.node.errorTold) {
    connection.node.errorTold = false;
    connection.save();
  }
  if (call.nonblocking) throw new ErrnoError('EINPROGRESS');
  call.note = DIALED;
  return outcome(connection);
}

/** As connect(2) has it for a socket that is connecting: not writable before the outcome is known. */
export function pollDial(connection: Connection): number {
  const { pcb } = connection;
  if (isConnecting(pcb)) return READABLE;
  const failed = pcb.STATE === State.CLOSED && pcb.ERROR !== 0;
  return READABLE | WRITABLE | (failed ? POLLERR | POLLHUP : 0);
}

function outcome(connection: Connection): Attempt<void> {
  const { pcb } = connection;
  if (isConnecting(pcb)) return BLOCKED;
  if (pcb.ERROR !== 0) throw new ErrnoError(errnoName(pcb.ERROR) ?? 'EIO');
  // Somebody else has closed it meanwhile.
  if (isOver(pcb)) throw new ErrnoError('ECONNABORTED');
  return undefined;
}
