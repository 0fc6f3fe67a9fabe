import { abort } from './abort.ts';
import { assert } from './assert.ts';
import { FIN_WAIT_2_TIMEOUT } from './close.ts';
import { CONGESTION_CONTROLS, congestionControlOf } from './congestion-control/selected.ts';
import type { Host } from './host.ts';
import { type Pcb, RECORD_LENGTH } from './pcb.ts';
import { RecordError } from './record-error.ts';
import { INITIAL_RTO } from './retransmission-timeout.ts';
import { seqAdd } from './sequence.ts';
import { isSynchronized, STATE_COUNT, State } from './state.ts';
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
  check(record.length === RECORD_LENGTH, `a record has ${RECORD_LENGTH} bytes`);
  const pcb = host.adopt();
  pcb.record.set(record);
  checkFields(pcb);
  check(!host.pcbs.has(pcb.ID), `connection ${pcb.ID} is there twice`);
  host.pcbs.set(pcb.ID, pcb);
  host.nextId = Math.max(host.nextId, pcb.ID + 1);
  host.nextQueueOrder = Math.max(host.nextQueueOrder, pcb.QUEUE_ORDER + 1);
  if (pcb.IS_BOUND === 1) host.bound.set(pcb.LOCAL_PORT, pcb);
  if (pcb.STATE === State.LISTEN) {
    host.listeners.set(pcb.LOCAL_PORT, pcb);
    host.waiting.set(pcb.ID, { established: [], synReceived: 0, unanswered: 0 });
  } else if (pcb.STATE !== State.CLOSED) {
    check(!isConnectedTwice(host, pcb), `connection ${pcb.ID} has the sockets of another`);
    host.connections.add(pcb);
  }
  return pcb;
}

function checkFields(pcb: Pcb): void {
  check(Number.isSafeInteger(pcb.ID) && pcb.ID > 0, 'an ID is a positive integer');
  check(pcb.STATE < STATE_COUNT, `connection ${pcb.ID} is in no state of TCP`);
  check(
    pcb.CONGESTION_CONTROL < CONGESTION_CONTROLS.length,
    `connection ${pcb.ID} has an unknown congestion control`,
  );
  checkStream(pcb, pcb.SEND_START, pcb.SEND_END);
  checkStream(pcb, pcb.RECEIVE_START, pcb.RECEIVE_END);
  check(
    pcb.SND_WSCALE <= MAX_WINDOW_SCALE && pcb.RCV_WSCALE <= MAX_WINDOW_SCALE,
    `connection ${pcb.ID} has a window scale above ${MAX_WINDOW_SCALE}`,
  );
  check(pcb.SND_MSS > 0 || !isSynchronized(pcb.STATE), `connection ${pcb.ID} has no segment size`);
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

function check(condition: boolean, what: string): void {
  if (!condition) throw new RecordError(what);
}

/**
 * After all restores: derives what was not journaled and re-arms the timers. Each connection soon speaks up once, by the
 * oldest segment that is not acknowledged or else by an ACK, and learns from the answer where the peer is.
 * @param elapsed milliseconds of this clock since the restored state was current; 0 if it was another clock
 */
export function resume(host: Host, now: number, elapsed: number): void {
  // The engine before this one may have sent some.
  host.cookieSentAt = now;
  const spread = host.pcbs.size / RESUMED_PER_MILLISECOND;
  for (const pcb of [...host.pcbs.values()]) {
    assert(
      pcb.areStreamsComplete,
      'the streams of a restored connection hold what its record says',
    );
    resumeWaiting(host, pcb, now);
    if (pcb.isRemoved) continue;
    host.changed(pcb);
    if (pcb.STATE === State.CLOSED || pcb.STATE === State.LISTEN) continue;
    resumeSending(pcb);
    resumeTimestamps(pcb, now);
    resumeDeadline(host, pcb, now, elapsed);
    pcb.LAST_HEARD = Math.min(pcb.LAST_HEARD, now);
    if (pcb.STATE !== State.TIME_WAIT) {
      const jitter = (host.entropy() / 2 ** 32) * spread;
      pcb.DELAYED_ACK_DEADLINE = now + jitter;
    }
    host.arm(pcb);
  }
  for (const { established } of host.waiting.values()) {
    established.sort((a, b) => a.QUEUE_ORDER - b.QUEUE_ORDER);
  }
}

/** Puts a connection that nobody has accepted yet back where it waited. */
function resumeWaiting(host: Host, pcb: Pcb, now: number): void {
  if (pcb.LISTENER === 0) return;
  const waiting = host.waiting.get(pcb.LISTENER);
  if (waiting === undefined) abort(host, pcb, now);
  else if (pcb.STATE === State.SYN_RECEIVED) waiting.synReceived++;
  else waiting.established.push(pcb);
}

/**
 * How far sending had come is not known: everything queued may have been sent, so an ACK of any of it is taken. What is
 * sent again starts at SND.UNA, with the restart window of RFC 5681 section 4.1.
 */
function resumeSending(pcb: Pcb): void {
  if (isSynchronized(pcb.STATE)) {
    pcb.SND_NXT = pcb.SND_UNA;
    pcb.presumeLost(pcb.sendEndSeq);
  } else {
    pcb.SND_NXT = seqAdd(pcb.ISS, 1);
    pcb.SYN_NOW = 1;
  }
  // RFC 6582 section 4: what was sent before the pause tells of no loss by duplicate ACKs.
  pcb.recover = pcb.SND_NXT;
  pcb.MAX_SND_WND = pcb.SND_WND;
  pcb.RTO = INITIAL_RTO;
  pcb.RESUMING = 1;
  if (isSynchronized(pcb.STATE)) congestionControlOf(pcb).start(pcb);
}

/** TIME-WAIT and FIN-WAIT-2 last at least as long as they would have. In full, if the clock is another one. */
function resumeDeadline(host: Host, pcb: Pcb, now: number, elapsed: number): void {
  if (pcb.END_DEADLINE === 0) return;
  const full = pcb.STATE === State.TIME_WAIT ? host.timeWait : FIN_WAIT_2_TIMEOUT;
  const isOfThisClock = pcb.END_DEADLINE > now - elapsed && pcb.END_DEADLINE <= now + full;
  if (!isOfThisClock) pcb.END_DEADLINE = now + full;
}
