import { ErrnoError } from '../../tcp/errno.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { BLOCKED } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { StreamFile } from '../file.ts';
import { POLLERR, POLLHUP, POLLRDHUP, READABLE, WRITABLE } from '../poll.ts';
import { isConnecting, isOver } from '../progress.ts';
import { hasEnded, isComplete, untoldError } from '../stream-end.ts';

/**
 * The stream of bytes. Errors are told as Linux tells those of a socket (sock_error in include/net/sock.h): once, to
 * the next reader or writer, after the bytes that had arrived; from then on reads are at the end and writes fail with
 * EPIPE.
 */
export const data: StreamFile<Connection> = {
  name: 'data',
  stream: true,
  read: (connection, target, call) => {
    const { pcb, stack } = connection;
    if (pcb.readable === 0) {
      tellError(connection);
      if (isAtEnd(pcb)) return 0;
    }
    const given = stack.receive(pcb, target, call.now);
    return given === 0 && target.length > 0 ? BLOCKED : given;
  },
  write: (connection, source, call) => {
    const { pcb, stack } = connection;
    if (isConnecting(pcb)) return BLOCKED;
    tellError(connection);
    if (hasEnded(pcb)) throw new ErrnoError('EPIPE');
    const taken = stack.send(pcb, source, call.now);
    return taken === 0 && source.length > 0 ? BLOCKED : taken;
  },
  // As tcp_poll in net/ipv4/tcp.c.
  poll: (connection) => pollRead(connection) | pollWrite(connection),
};

/** @throws ErrnoError what ended the connection, if nobody has been told */
function tellError(connection: Connection): void {
  const error = untoldError(connection);
  if (error === undefined) return;
  connection.node.errorTold = true;
  connection.save();
  throw new ErrnoError(error);
}

/** What poll(2) says of reading. */
export function pollRead(connection: Connection): number {
  const { pcb } = connection;
  if (isConnecting(pcb)) return 0;
  let events = 0;
  if (untoldError(connection) !== undefined) events |= POLLERR | READABLE;
  if (isAtEnd(pcb)) events |= READABLE | POLLRDHUP;
  if (pcb.readable > 0) events |= READABLE;
  if (isOver(pcb)) events |= READABLE | POLLHUP;
  return events;
}

/** What poll(2) says of writing. */
function pollWrite(connection: Connection): number {
  const { pcb } = connection;
  if (isConnecting(pcb)) return 0;
  const canWrite = pcb.writable > 0 || pcb.FIN_QUEUED === 1;
  return canWrite || isOver(pcb) || untoldError(connection) !== undefined ? WRITABLE : 0;
}

function isAtEnd(pcb: Pcb): boolean {
  return pcb.readable === 0 && isComplete(pcb);
}
