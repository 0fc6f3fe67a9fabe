import { errnoNumber } from './errno.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { isSynchronized, State } from './state.ts';
import { TcpError } from './tcp-error.ts';

/**
 * How long a connection that has moved out stays silent after its file is gone, milliseconds. A peer whose segments come to the old
 * host until the network has learned of the new one gives up after 15 minutes (Linux, net.ipv4.tcp_retries2 = 15); a RST in
 * answer to one of them would end what has moved.
 */
export const SILENCE = 3600_000;

/**
 * From now on another host may speak for the connection, and this one never does: what comes is dropped without an answer, no
 * timer runs, and nothing can be sent or read. The record and the bytes stay for `hasFile`. What has come out of order is forgotten, as at any
 * death of an engine (RFC 2018 section 8). Again is the same as once.
 * @param wall milliseconds since 1970
 * @throws TcpError EOPNOTSUPP a listener, or a connection with ourselves; ENOTCONN no connection, or not yet or no longer; ENODATA it
 * has moved, and is not to be had again
 */
export function moveOut(host: Host, pcb: Pcb, now: number, wall: number): void {
  const { STATE } = pcb;
  if (pcb.hasFile) return;
  if (STATE === State.MOVED) throw new TcpError('ENODATA');
  if (STATE === State.LISTEN) throw new TcpError('EOPNOTSUPP');
  if (!isSynchronized(STATE)) throw new TcpError('ENOTCONN');
  if (host.isOwn(pcb.remoteAddress)) throw new TcpError('EOPNOTSUPP');
  pcb.MOVES++;
  pcb.MOVED_FROM = STATE;
  pcb.MOVED_AT = now;
  pcb.MOVED_AT_WALL = wall;
  pcb.ERROR = errnoNumber('ECONNABORTED');
  host.setState(pcb, State.MOVED);
  pcb.stand();
  host.timers.remove(pcb);
}

/**
 * The connection is elsewhere, and no file of it is needed any more. It stays silent for a while, for somebody may still send here what is
 * meant for there, and then is gone.
 */
export function forget(host: Host, pcb: Pcb, now: number): void {
  if (!pcb.hasFile && pcb.CLOSED_BY_USER === 1) return;
  pcb.CLOSED_BY_USER = 1;
  pcb.MOVED_FROM = State.CLOSED;
  pcb.dropStreams();
  pcb.END_DEADLINE = now + SILENCE;
  host.changed(pcb);
  host.arm(pcb);
}
