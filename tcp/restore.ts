import { abandonRecord } from './abandon-record.ts';
import { abort } from './abort.ts';
import type { Absence } from './absence.ts';
import { assert } from './assert.ts';
import { FIN_WAIT_2_TIMEOUT } from './close.ts';
import { CONGESTION_CONTROLS, congestionControlOf } from './congestion-control/selected.ts';
import { DURABILITIES, Durability } from './durability.ts';
import type { Host, Waiting } from './host.ts';
import { SILENCE } from './move-out.ts';
import { type Pcb, RECORD_LENGTH } from './pcb.ts';
import { RecordError } from './record-error.ts';
import { INITIAL_RTO } from './retransmission-timeout.ts';
import { seqAdd } from './sequence.ts';
import { isSynchronized, maySpeak, STATE_COUNT, State } from './state.ts';
import { resumeTimestamps } from './timestamps.ts';
import { MAX_WINDOW_SCALE } from './wire/tcp-options.ts';

/** How many connections speak up in each millisecond after a restore. */
const RESUMED_PER_MILLISECOND = 20;

/**
 * The PCB that `record` was taken from. Its streams are empty; the caller appends to `sendStream` the bytes from
 * SEND_START to SEND_END, and to `receiveStream` those from RECEIVE_START to RECEIVE_END.
 * @throws RecordError the record contradicts itself or another one
 */
export function restore(host: Host, record: Uint8Array): Pcb {
  const pcb = decode(host, record);
  enlist(host, pcb);
  return pcb;
}

/**
 * The same after the host has gone down: of a connection that was not to outlive that, what is left; see `abandonRecord`.
 * @throws RecordError the record contradicts itself or another one
 */
export function salvage(host: Host, record: Uint8Array): Pcb {
  const pcb = decode(host, record);
  if (pcb.DURABILITY === Durability.PROCESS) abandonRecord(pcb);
  enlist(host, pcb);
  return pcb;
}

function decode(host: Host, record: Uint8Array): Pcb {
  check(record.length === RECORD_LENGTH, `a record has ${RECORD_LENGTH} bytes`);
  const pcb = host.adopt();
  pcb.record.set(record);
  checkFields(pcb);
  return pcb;
}

/** Puts a restored PCB where the host finds it. */
function enlist(host: Host, pcb: Pcb): void {
  check(host.find(pcb.ID) === undefined, `connection ${pcb.ID} is there twice`);
  host.pcbs.set(pcb.ID, pcb);
  host.nextId = Math.max(host.nextId, pcb.ID + 1);
  host.nextQueueOrder = Math.max(host.nextQueueOrder, pcb.QUEUE_ORDER + 1);
  if (pcb.IS_BOUND === 1) host.bound.add(pcb);
  if (pcb.STATE === State.LISTEN) {
    check(
      !host.listeners.isTaken(pcb, pcb.localAddress, pcb.LOCAL_PORT),
      `connection ${pcb.ID} listens where another does`,
    );
    host.listeners.add(pcb);
    host.waiting.set(pcb.ID, { established: [], synReceived: 0, unanswered: 0 });
  } else if (pcb.STATE !== State.CLOSED) {
    check(!isConnectedTwice(host, pcb), `connection ${pcb.ID} has the sockets of another`);
    host.connections.add(pcb);
  }
}

export function checkFields(pcb: Pcb): void {
  check(Number.isSafeInteger(pcb.ID) && pcb.ID > 0, 'an ID is a positive integer');
  check(
    pcb.STATE < STATE_COUNT && pcb.MOVED_FROM < STATE_COUNT,
    `connection ${pcb.ID} is in no state of TCP`,
  );
  check(
    pcb.CONGESTION_CONTROL < CONGESTION_CONTROLS.length,
    `connection ${pcb.ID} has an unknown congestion control`,
  );
  check(pcb.DURABILITY < DURABILITIES.length, `connection ${pcb.ID} has an unknown durability`);
  check(
    pcb.SNDBUF < 2 ** 31 && pcb.RCVBUF < 2 ** 31,
    `connection ${pcb.ID} has a buffer of 2 GiB or more`,
  );
  checkStream(pcb, pcb.SEND_START, pcb.SEND_END);
  checkStream(pcb, pcb.RECEIVE_START, pcb.RECEIVE_END);
  check(
    pcb.SND_WSCALE <= MAX_WINDOW_SCALE && pcb.RCV_WSCALE <= MAX_WINDOW_SCALE,
    `connection ${pcb.ID} has a window scale above ${MAX_WINDOW_SCALE}`,
  );
  check(pcb.SND_MSS > 0 || !isSynchronized(pcb.STATE), `connection ${pcb.ID} has no segment size`);
  check(
    pcb.SND_MSS <= pcb.MAX_SND_MSS,
    `connection ${pcb.ID} has larger segments than were agreed on`,
  );
}

function checkStream(pcb: Pcb, start: number, end: number): void {
  check(
    Number.isSafeInteger(start) &&
      Number.isSafeInteger(end) &&
      start >= 0 &&
      end >= start &&
      end - start < 2 ** 31,
    `connection ${pcb.ID} has a stream from ${start} to ${end}`,
  );
}

function isConnectedTwice(host: Host, pcb: Pcb): boolean {
  const { localAddress, LOCAL_PORT, remoteAddress, REMOTE_PORT } = pcb;
  return host.connections.find(localAddress, LOCAL_PORT, remoteAddress, REMOTE_PORT) !== undefined;
}

export function check(condition: boolean, what: string): void {
  if (!condition) throw new RecordError(what);
}

/**
 * After all restores: derives what was not journaled and re-arms the timers. Each connection soon speaks up once, by the
 * oldest segment that is not acknowledged or else by an ACK, and learns from the answer where the peer is.
 * @param absence from when the restored state was current until now
 */
export function resume(host: Host, now: number, absence: Absence): void {
  // The engine before this one may have sent some.
  host.cookieSentAt = now;
  const spread = host.pcbs.size / RESUMED_PER_MILLISECOND;
  for (const pcb of [...host.pcbs.values()]) {
    assert(
      pcb.areStreamsComplete,
      'the streams of a restored connection hold what its record says',
    );
    resumeWaiting(host, pcb, now);
    resumeGoing(host, pcb);
    if (pcb.isRemoved) continue;
    host.changed(pcb);
    if (pcb.STATE === State.MOVED) resumeMoved(host, pcb, now, absence);
    else if (maySpeak(pcb.STATE))
      resumeConnection(host, pcb, now, absence, (host.entropy() / 2 ** 32) * spread);
  }
  for (const { established } of host.waiting.values()) {
    established.sort((a, b) => a.QUEUE_ORDER - b.QUEUE_ORDER);
  }
}

/**
 * Derives what was not journaled of a connection that has a peer, and re-arms its timers.
 * @param wait milliseconds until it speaks up
 */
export function resumeConnection(
  host: Host,
  pcb: Pcb,
  now: number,
  absence: Absence,
  wait: number,
): void {
  resumeSending(pcb);
  pcb.LAST_ACK_SENT = pcb.RCV_NXT;
  resumeTimestamps(pcb, now, absence);
  resumeDeadline(host, pcb, now, absence);
  resumePatience(pcb, now, absence);
  if (pcb.STATE !== State.TIME_WAIT) speakUpAt(pcb, now + wait);
  host.arm(pcb);
}

/** What has a file stays as it is there. Of the rest, only how long to be silent is left to say. */
function resumeMoved(host: Host, pcb: Pcb, now: number, absence: Absence): void {
  if (pcb.hasFile) return;
  resumeDeadline(host, pcb, now, absence);
  host.arm(pcb);
}

/** The program is done with it, and so is TCP: only `salvage` leaves such a one. */
function resumeGoing(host: Host, pcb: Pcb): void {
  if (pcb.STATE === State.CLOSED && pcb.CLOSED_BY_USER === 1) host.finish(pcb, 0);
}

/** Puts a connection that nobody has accepted yet back where it waited. */
function resumeWaiting(host: Host, pcb: Pcb, now: number): void {
  if (pcb.LISTENER === 0) return;
  const waiting = host.waiting.get(pcb.LISTENER);
  if (waiting === undefined) abort(host, pcb, now);
  else if (pcb.STATE === State.SYN_RECEIVED) resumeSynReceived(waiting, pcb);
  else waiting.established.push(pcb);
}

function resumeSynReceived(waiting: Waiting, pcb: Pcb): void {
  waiting.synReceived++;
  if (pcb.BACKOFF > 0) waiting.unanswered++;
}

/**
 * How far sending had come is not known: everything queued may have been sent, so an ACK of any of it is taken. What is
 * sent again starts at SND.UNA, with the restart window of RFC 5681 section 4.1.
 */
function resumeSending(pcb: Pcb): void {
  if (pcb.isSynOutstanding) {
    pcb.SND_NXT = seqAdd(pcb.ISS, pcb.isFinOutstanding ? 2 : 1);
    pcb.SYN_NOW = 1;
  } else {
    pcb.SND_NXT = pcb.SND_UNA;
    pcb.presumeLost(pcb.sendEndSeq);
  }
  // RFC 6582 section 4: what was sent before the pause tells of no loss by duplicate ACKs.
  pcb.recover = pcb.SND_NXT;
  pcb.MAX_SND_WND = pcb.SND_WND;
  pcb.RTO = INITIAL_RTO;
  pcb.RESUMING = 1;
  if (!pcb.isSynOutstanding) congestionControlOf(pcb).start(pcb);
}

/** TIME-WAIT, FIN-WAIT-2 and silence last at least as long as they would have. */
function resumeDeadline(host: Host, pcb: Pcb, now: number, { began, atLeast }: Absence): void {
  if (pcb.END_DEADLINE === 0) return;
  const full = longestDeadline(host, pcb.STATE);
  const left = Math.min(full, Math.max(0, pcb.END_DEADLINE - began));
  pcb.END_DEADLINE = now - atLeast + left;
}

function longestDeadline(host: Host, state: number): number {
  if (state === State.TIME_WAIT) return host.timeWait;
  return state === State.MOVED ? SILENCE : FIN_WAIT_2_TIMEOUT;
}

/** A peer was silent, or did not acknowledge, for as long as somebody listened. What it said meanwhile nobody knows. */
function resumePatience(pcb: Pcb, now: number, { began }: Absence): void {
  pcb.LAST_HEARD = now - Math.max(0, began - pcb.LAST_HEARD);
  if (!pcb.isSynOutstanding) pcb.BACKOFF = 0;
  if (pcb.UNANSWERED_SINCE === 0) return;
  pcb.UNANSWERED_SINCE = now - Math.max(0, began - pcb.UNANSWERED_SINCE);
}

/** Keep-alives that were due wait until then, too. */
function speakUpAt(pcb: Pcb, at: number): void {
  pcb.DELAYED_ACK_DEADLINE = at;
  pcb.LAST_HEARD += Math.max(0, at - pcb.keepaliveDeadline);
}
