import { ErrnoError, errnoName } from '../../tcp/errno.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { State } from '../../tcp/state.ts';
import { BLOCKED } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { StreamFile } from '../file.ts';
import { POLLERR, POLLHUP, POLLRDHUP, READABLE, WRITABLE } from '../poll.ts';
import { isConnecting, isOver } from '../progress.ts';

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
  poll: (connection) => {
    const { pcb } = connection;
    if (isConnecting(pcb)) return 0;
    let events = 0;
    if (hasUntoldError(connection)) events |= POLLERR | READABLE | WRITABLE;
    if (isAtEnd(pcb)) events |= READABLE | POLLRDHUP;
    if (pcb.readable > 0) events |= READABLE;
    if (pcb.writable > 0 || pcb.FIN_QUEUED === 1) events |= WRITABLE;
    if (isOver(pcb)) events |= READABLE | WRITABLE | POLLHUP;
    return events;
  },
};

function hasUntoldError({ pcb, node }: Connection): boolean {
  return pcb.ERROR !== 0 && !node.errorTold;
}

/** @throws ErrnoError what ended the connection, if nobody has been told */
function tellError(connection: Connection): void {
  if (!hasUntoldError(connection)) return;
  connection.node.errorTold = true;
  connection.save();
  throw new ErrnoError(errnoName(connection.pcb.ERROR) ?? 'EIO');
}

/** Nothing more will come or go: it has been a connection and is none, or somebody has closed it. */
function hasEnded(pcb: Pcb): boolean {
  return pcb.CLOSED_BY_USER === 1 || (pcb.STATE === State.CLOSED && pcb.REMOTE_PORT !== 0);
}

function isAtEnd(pcb: Pcb): boolean {
  return pcb.atEnd || (pcb.readable === 0 && hasEnded(pcb));
}
