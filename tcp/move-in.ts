import type { Absence } from './absence.ts';
import { assert } from './assert.ts';
import type { Host } from './host.ts';
import { textOfMtu } from './largest-segment.ts';
import { Negotiated, type Pcb, RECORD_LENGTH } from './pcb.ts';
import { RecordError } from './record-error.ts';
import { check, checkFields, resumeConnection } from './restore.ts';
import { demandRoom } from './room.ts';
import { seqAdd, seqSub } from './sequence.ts';
import { areOptionsValid } from './socket-options.ts';
import { isSynchronized, State } from './state.ts';
import { TcpError } from './tcp-error.ts';

/**
 * A connection that has moved out elsewhere and is about to be this host's. Its streams are empty; the caller appends to `sendStream` the
 * bytes from SEND_START to SEND_END, and to `receiveStream` those from RECEIVE_START to RECEIVE_END. Then one of `complete` and
 * `cancel` ends it; before that nobody finds it.
 */
export class MovingIn {
  readonly #host: Host;
  readonly pcb: Pcb;
  /** What has moved out from here, and is gone when this is complete. */
  readonly replaced: Pcb | undefined;

  /**
   * @param record of a connection in MOVED; any bytes
   * @throws RecordError it contradicts itself
   * @throws TcpError EADDRNOTAVAIL its address is not ours; EADDRINUSE this pair of sockets is connected; EEXIST as this connection; ESTALE it
   * has been here since; ENOBUFS no memory; ENOSPC nothing more can be kept
   */
  constructor(host: Host, record: Uint8Array) {
    this.#host = host;
    check(record.length === RECORD_LENGTH, `a record has ${RECORD_LENGTH} bytes`);
    this.pcb = host.adopt();
    try {
      this.pcb.record.set(record);
      prepare(host, this.pcb);
      this.replaced = replacedBy(host, this.pcb);
      demandMemory(host, this.pcb);
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  /**
   * It is a connection of this host, and speaks up.
   * @param wall milliseconds since 1970
   */
  complete(now: number, wall: number): void {
    const [host, pcb] = [this.#host, this.pcb];
    assert(pcb.areStreamsComplete, 'the caller has filled the streams');
    if (this.replaced !== undefined) {
      this.replaced.CLOSED_BY_USER = 1;
      host.finish(this.replaced, 0);
    }
    // How long nobody was there only the wall clocks can tell, and they may differ.
    const { MOVED_AT: began, MOVED_AT_WALL } = pcb;
    const absence: Absence = { began, atLeast: 0, estimate: Math.max(0, wall - MOVED_AT_WALL) };
    host.nextId++;
    host.pcbs.set(pcb.ID, pcb);
    host.connections.add(pcb);
    host.changed(pcb);
    resumeConnection(host, pcb, now, absence, 0);
  }

  /** Nothing has happened. */
  cancel(): void {
    this.pcb.remove();
    this.pcb.account.close();
  }
}

/** Makes a connection of this host's of what the record says, if that can be. */
function prepare(host: Host, pcb: Pcb): void {
  check(pcb.STATE === State.MOVED, 'the connection has not moved out');
  pcb.STATE = pcb.MOVED_FROM;
  pcb.MOVED_FROM = State.CLOSED;
  pcb.ERROR = 0;
  pcb.ID = host.nextId;
  // Of a listener, and of `bind`, it knows only there.
  pcb.LISTENER = 0;
  pcb.QUEUE_ORDER = 0;
  pcb.IS_BOUND = 0;
  checkFields(pcb);
  checkConnection(pcb);
  check(areOptionsValid(host, pcb), 'an option has a value that cannot be set');
  const most = textOfMtu(pcb, host.mtu);
  pcb.MAX_SND_MSS = Math.min(pcb.MAX_SND_MSS, most);
  pcb.SND_MSS = Math.min(pcb.SND_MSS, most);
}

/** A store's records are its own. This one anybody may have made: all that the rest of the code takes for granted has to hold. */
function checkConnection(pcb: Pcb): void {
  check(isSynchronized(pcb.STATE), 'it was no connection');
  const { FIN_QUEUED, FIN_RECEIVED, STATE } = pcb;
  check(FIN_QUEUED === Number(SENT_FIN.has(STATE)), 'its FIN does not belong to its state');
  check(FIN_RECEIVED === Number(GOT_FIN.has(STATE)), "the peer's FIN does not belong to its state");
  const isFinAcknowledged = FIN_ACKNOWLEDGED.has(STATE) ? 1 : 0;
  check(
    isFinAcknowledged === 0 || pcb.SEND_START === pcb.SEND_END,
    'what precedes an acknowledged FIN is not',
  );
  const sent = (pcb.SEND_START + 1 + isFinAcknowledged) % 2 ** 32;
  check(
    pcb.SND_UNA === seqAdd(pcb.ISS, sent) || pcb.isSynOutstanding,
    'SND.UNA is not where the stream is',
  );
  const received = (pcb.RECEIVE_END + 1 + FIN_RECEIVED) % 2 ** 32;
  check(pcb.RCV_NXT === seqAdd(pcb.IRS, received), 'RCV.NXT is not where the stream is');
  // A FIN needs no window (RFC 9293 section 3.10.7.4), so one may have gone beyond it.
  check(seqSub(pcb.RCV_ADV, pcb.RCV_NXT) >= -1, 'more has come than was offered');
  check(pcb.LOCAL_PORT !== 0 && pcb.REMOTE_PORT !== 0, 'it has no sockets');
  check(pcb.NEGOTIATED < 2 * Negotiated.ECT, 'something unknown was agreed on');
  for (const name of TIMES) check(Number.isFinite(pcb[name]), `${name} is no time`);
  check(pcb.URGENT_END >= 0 && Number.isSafeInteger(pcb.URGENT_END), 'what is urgent ends nowhere');
  check(pcb.TTL > 0, 'its packets would go nowhere');
}

const SENT_FIN: ReadonlySet<number> = new Set([
  State.FIN_WAIT_1,
  State.FIN_WAIT_2,
  State.CLOSING,
  State.LAST_ACK,
  State.TIME_WAIT,
]);

const FIN_ACKNOWLEDGED: ReadonlySet<number> = new Set([State.FIN_WAIT_2, State.TIME_WAIT]);

const GOT_FIN: ReadonlySet<number> = new Set([
  State.CLOSE_WAIT,
  State.CLOSING,
  State.LAST_ACK,
  State.TIME_WAIT,
]);

const TIMES = [
  'TS_RECENT_AT',
  'END_DEADLINE',
  'LAST_HEARD',
  'UNANSWERED_SINCE',
  'MOVED_AT',
  'MOVED_AT_WALL',
] as const;

/** What its sockets belong to here, if that may be replaced by it. */
function replacedBy(host: Host, pcb: Pcb): Pcb | undefined {
  const { localAddress, LOCAL_PORT, remoteAddress, REMOTE_PORT } = pcb;
  if (!host.isOwn(localAddress)) throw new TcpError('EADDRNOTAVAIL');
  if (localAddress.isIpv4 !== remoteAddress.isIpv4 || !host.isUnicast(remoteAddress))
    throw new RecordError('its peer has no address of one host');
  if (host.isOwn(remoteAddress)) throw new RecordError('it is a connection with ourselves');
  const there = host.connections.find(localAddress, LOCAL_PORT, remoteAddress, REMOTE_PORT);
  if (there === undefined) return undefined;
  const isSame = there.ISS === pcb.ISS && there.IRS === pcb.IRS;
  if (there.STATE !== State.MOVED) {
    throw new TcpError(isSame && there.MOVES === pcb.MOVES ? 'EEXIST' : 'EADDRINUSE');
  }
  // As long as its own file was not given up, it may be taken back.
  const isLater = pcb.MOVES > there.MOVES || (pcb.MOVES === there.MOVES && there.hasFile);
  if (isSame && !isLater) throw new TcpError('ESTALE');
  return there;
}

function demandMemory(host: Host, pcb: Pcb): void {
  demandRoom(host);
  const { memory } = host;
  const bytes = pcb.SEND_END - pcb.SEND_START + pcb.readable + pcb.RCV_WND;
  if (!memory.hasRoom || memory.used + bytes > memory.limit) throw new TcpError('ENOBUFS');
}
