import { ErrnoError } from '../../tcp/errno.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { State } from '../../tcp/state.ts';
import { BLOCKED } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { News, StreamFile } from '../file.ts';
import { POLLERR, POLLHUP, POLLRDHUP, READABLE, WRITABLE } from '../poll.ts';
import { isConnecting, isOver } from '../progress.ts';
import { hasEnded, isComplete, untoldError } from '../stream-end.ts';

/** What PIPE_BUF is for a pipe (pipe(7)). */
const UNDIVIDED = 65536;

const NOTHING = new Uint8Array(0);

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
      if (pcb.FIN_RECEIVED === 1 && pcb.STATE !== State.MOVED) return 0;
      tellError(connection);
      if (isAtEnd(pcb)) return 0;
      demandConnection(pcb);
    }
    const known = Math.max(0, pcb.readable - stack.unacknowledged(pcb));
    const given = stack.receive(pcb, target, call.now);
    call.returnable = Math.max(0, given - known);
    return given === 0 && target.length > 0 ? BLOCKED : given;
  },
  write: (connection, source, call) => {
    const { pcb, stack } = connection;
    if (isConnecting(pcb)) return BLOCKED;
    tellError(connection);
    if (hasEnded(pcb)) throw new ErrnoError('EPIPE');
    demandConnection(pcb);
    const taken = stack.send(pcb, hasRoomFor(pcb, source.length) ? source : NOTHING, call.now);
    if (taken < source.length) connection.shortWrites++;
    return taken === 0 && source.length > 0 ? BLOCKED : taken;
  },
  // As tcp_poll in net/ipv4/tcp.c.
  poll: (connection) => pollRead(connection) | pollWrite(connection),
  news,
};

/** What may have happened since poll(2) last said that `data` or `peek` is ready. */
export function news({ pcb, shortWrites }: Connection): News {
  const { RECEIVE_END, FIN_RECEIVED, RCV_SHUTDOWN } = pcb;
  return { arrivals: RECEIVE_END + FIN_RECEIVED + RCV_SHUTDOWN, refusals: shortWrites };
}

/**
 * A write of up to `UNDIVIDED` bytes waits until all of them fit, so that those of other writers come before or behind them; a
 * larger one, until as many fit. If the send buffer cannot hold so much at all, until it is empty.
 */
function hasRoomFor(pcb: Pcb, length: number): boolean {
  return pcb.writable >= Math.min(length, UNDIVIDED, pcb.sendRoom);
}

/** @throws ErrnoError what ended the connection, if nobody has been told */
function tellError(connection: Connection): void {
  const error = untoldError(connection);
  if (error === undefined) return;
  connection.node.errorTold = true;
  connection.save();
  throw new ErrnoError(error);
}

/** @throws ErrnoError ENOTCONN also when the attempt to connect has failed */
function demandConnection({ STATE, wasEstablished }: Pcb): void {
  if (STATE === State.CLOSED && !wasEstablished) throw new ErrnoError('ENOTCONN');
}

/** What poll(2) says of reading. */
export function pollRead(connection: Connection): number {
  const { pcb } = connection;
  if (isConnecting(pcb)) return 0;
  let events = 0;
  if (untoldError(connection) !== undefined) events |= POLLERR | READABLE | POLLRDHUP;
  if (isComplete(pcb)) events |= READABLE | POLLRDHUP;
  if (pcb.readable > 0) events |= READABLE;
  if (isOver(pcb)) events |= POLLHUP;
  return events;
}

/** What poll(2) says of writing. */
function pollWrite(connection: Connection): number {
  const { pcb } = connection;
  if (isConnecting(pcb)) return 0;
  const canWrite = hasRoomFor(pcb, UNDIVIDED) || pcb.FIN_QUEUED === 1;
  return canWrite || isOver(pcb) || untoldError(connection) !== undefined ? WRITABLE : 0;
}

function isAtEnd(pcb: Pcb): boolean {
  return pcb.readable === 0 && isComplete(pcb);
}
