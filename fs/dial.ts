import { ErrnoError, errnoName } from '../tcp/errno.ts';
import { State } from '../tcp/state.ts';
import { type Attempt, BLOCKED, type Call } from './attempt.ts';
import type { Connection } from './connection.ts';
import { endpointsOf } from './destination.ts';
import type { News } from './file.ts';
import { withFirst } from './first-endpoint.ts';
import { POLLERR, POLLHUP, READABLE, WRITABLE } from './poll.ts';
import { isConnecting, isOver } from './progress.ts';

/** How many addresses of one host are dialed, at the most. */
export const MOST_DIALED = 8;

/** How far a call has come. */
export interface Dialed {
  /** How many addresses of the host it has dialed. */
  count: number;
}

/**
 * connect(2): dials, then waits until the connection is there or has failed. Its note is how many addresses it has dialed.
 * @throws ErrnoError what connect(2) would fail with; EINPROGRESS, having dialed, when the call may not block; those of
 * `endpointsOf`
 */
export function dial(connection: Connection, address: string, call: Call): Attempt<void> {
  const dialed = { count: call.note };
  const result = dialOn(connection, address.trim(), dialed, call);
  if (call.nonblocking && dialed.count > 0) {
    connection.shortWrites++;
    throw new ErrnoError('EINPROGRESS');
  }
  call.note = dialed.count;
  return result;
}

/**
 * Dials the addresses of a host, one after the other, until one answers.
 * @throws ErrnoError why the last one did not; ECONNABORTED somebody else has closed the connection
 */
export function dialOn(
  connection: Connection,
  address: string,
  dialed: Dialed,
  { now }: Call,
): Attempt<void> {
  const { id, pcb, resolver, stack } = connection;
  if (dialed.count > 0) {
    if (isConnecting(pcb)) return BLOCKED;
    if (pcb.ERROR === 0 && !isOver(pcb)) return undefined;
    if (pcb.ERROR === 0) throw new ErrnoError('ECONNABORTED');
  }
  const endpoints = endpointsOf(address, 'tcp', resolver, id, now);
  if (endpoints === BLOCKED) return BLOCKED;
  const next = endpoints.slice(0, MOST_DIALED).slice(dialed.count);
  if (next.length === 0) {
    connection.node.errorTold = true;
    connection.save();
    throw new ErrnoError(errnoName(pcb.ERROR) ?? 'EIO');
  }
  withFirst(next, (endpoint) => {
    dialed.count++;
    stack.connect(pcb, endpoint, now);
  });
  if (connection.node.errorTold) {
    connection.node.errorTold = false;
    connection.save();
  }
  return BLOCKED;
}

/** Nothing comes by the file but the outcome. */
export function dialNews({ shortWrites }: Connection): News {
  return { arrivals: 0, refusals: shortWrites };
}

/** As connect(2) has it for a socket that is connecting: not writable before the outcome is known. */
export function pollDial(connection: Connection): number {
  const { pcb } = connection;
  if (isConnecting(pcb)) return READABLE;
  const failed = pcb.STATE === State.CLOSED && pcb.ERROR !== 0;
  return READABLE | WRITABLE | (failed ? POLLERR | POLLHUP : 0);
}
