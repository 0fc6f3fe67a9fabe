import { acknowledgmentArrives, setSendWindow } from './acknowledgment.ts';
import type { IpAddress } from './address.ts';
import { challengeAck } from './challenge-ack.ts';
import { enterClosing, waitForPeerFin } from './close.ts';
import { congestionControlOf } from './congestion-control/selected.ts';
import { acknowledgeFin, acknowledgeNow, beginQuickAcks } from './delayed-ack.ts';
import { noteMark, offerEcn, repeatedSynArrives, synchronizeEcn } from './ecn.ts';
import { errnoNumber } from './errno.ts';
import type { Host } from './host.ts';
import { defaultMss, MIN_MSS, mssToOffer } from './largest-segment.ts';
import { begin } from './open.ts';
import { beginOnPath } from './packet-too-big.ts';
import { Negotiated, type Pcb } from './pcb.ts';
import { resetSegment } from './reset.ts';
import { measure, startDataTransfer, startRetransmissionTimer } from './retransmission-timeout.ts';
import { duplicateArrives, textArrives } from './segment-text.ts';
import { seqAdd, seqInWindow, seqLessOrEqual, seqLessThan, seqSub } from './sequence.ts';
import { inheritOptions } from './socket-options.ts';
import { mayReceiveText, State } from './state.ts';
import { haveSentCookie, sendCookie, synOfCookie } from './syn-cookies.ts';
import {
  isOldDuplicate,
  lacksTimestamps,
  noteTimestamp,
  synchronizeTimestamps,
  timestampsSize,
} from './timestamps.ts';
import { noteUserTimeout, oweUserTimeout } from './user-timeout-option.ts';
import { ACK, FIN, RST, SYN, type TcpHeader, URG } from './wire/tcp.ts';

/**
 * SEGMENT ARRIVES (RFC 9293 section 3.10.7). The order of the checks is the RFC's.
 * @param bytes what `segment` was read from
 */
export function segmentArrives(
  host: Host,
  source: IpAddress,
  segment: TcpHeader,
  bytes: Uint8Array,
  now: number,
): void {
  const { destinationPort, sourcePort } = segment;
  if (segment.flags & RST) host.counters.TcpInRsts++;
  const local = host.addressTowards(source);
  const pcb = host.connections.find(local, destinationPort, source, sourcePort);
  if (pcb === undefined) {
    const listener = host.listeners.find(local, destinationPort);
    if (listener === undefined) resetSegment(host, segment, source);
    else arrivesInListen(host, listener, source, segment, bytes, now);
    return;
  }
  if (isReopening(host, pcb, segment)) {
    const lastUsed = pcb.SND_NXT;
    host.finish(pcb, 0);
    const listener = host.listeners.find(local, destinationPort)!;
    arrivesInListen(host, listener, source, segment, bytes, now, lastUsed);
    return;
  }
  // Not even a SYN or a RST is ours to judge: whoever speaks for the connection hears it, or its sender says it again.
  if (pcb.STATE === State.MOVED) return;
  pcb.LAST_HEARD = now;
  pcb.KEEPALIVE_PROBES = 0;
  if (pcb.STATE === State.SYN_SENT) arrivesInSynSent(host, pcb, segment, now);
  else arrivesInOtherStates(host, pcb, segment, bytes, now);
}

/**
 * A SYN later than all that the connection in TIME-WAIT has received begins a new one with the same sockets, if somebody listens
 * (RFC 9293 section 3.10.7.4, fourth; RFC 6191 section 2). The old one then is over.
 */
function isReopening(host: Host, pcb: Pcb, segment: TcpHeader): boolean {
  if (pcb.STATE !== State.TIME_WAIT) return false;
  if ((segment.flags & (SYN | ACK | RST)) !== SYN) return false;
  if (!isOfNewIncarnation(pcb, segment)) return false;
  return host.listeners.find(pcb.localAddress, segment.destinationPort) !== undefined;
}

/** RFC 6191 section 2: timestamps tell more than sequence numbers, if both incarnations have them and they differ. */
function isOfNewIncarnation(pcb: Pcb, segment: TcpHeader): boolean {
  const { hasTimestamps, timestampValue } = segment.options;
  if (hasTimestamps && pcb.NEGOTIATED & Negotiated.TIMESTAMPS && timestampValue !== pcb.TS_RECENT) {
    return seqLessThan(pcb.TS_RECENT, timestampValue);
  }
  return seqLessThan(pcb.RCV_NXT, segment.SEG_SEQ);
}

/**
 * RFC 9293 section 3.10.7.2.
 * @param lastUsed the last sequence number of a connection in TIME-WAIT that this one takes the place of
 */
function arrivesInListen(
  host: Host,
  listener: Pcb,
  source: IpAddress,
  segment: TcpHeader,
  bytes: Uint8Array,
  now: number,
  lastUsed?: number,
): void {
  // First, check for a RST.
  if (segment.flags & RST) return;
  // Second, check for an ACK.
  if (segment.flags & ACK) {
    ackArrivesInListen(host, listener, source, segment, bytes, now);
    return;
  }
  // Third, check for a SYN. One with FIN is no way to begin.
  if ((segment.flags & (SYN | FIN)) !== SYN) return;
  const waiting = host.waiting.get(listener.ID)!;
  // Silence makes the peer ask again, when there may be room.
  if (isFull(host, listener)) {
    host.counters.TcpExtListenDrops++;
    return;
  }
  if (waiting.established.length + waiting.synReceived > listener.BACKLOG) {
    // A burst of callers waits outside: one whose ACK finds no room would not know that it has to come again.
    if (waiting.unanswered > 0) sendCookie(host, listener, source, segment, now);
  } else {
    passiveOpen(host, listener, source, segment, now, lastUsed);
  }
}

/** An ACK in LISTEN is an error, unless it answers a cookie: then its connection begins with it (RFC 4987 section 3.6). */
function ackArrivesInListen(
  host: Host,
  listener: Pcb,
  source: IpAddress,
  segment: TcpHeader,
  bytes: Uint8Array,
  now: number,
): void {
  const syn = segment.flags & SYN ? undefined : synOfCookie(host, source, segment, now);
  if (syn === undefined) {
    resetSegment(host, segment, source);
    return;
  }
  // The peer takes itself for connected, and its next segment is as good as this one.
  if (isFull(host, listener)) {
    host.counters.TcpExtListenDrops++;
    return;
  }
  const pcb = passiveOpen(host, listener, source, syn, now);
  haveSentCookie(pcb, syn.SEG_ACK);
  arrivesInOtherStates(host, pcb, segment, bytes, now);
}

/** Whether `listener` can let nobody in. */
function isFull(host: Host, listener: Pcb): boolean {
  return (
    !host.hasRoom ||
    host.isFreezing ||
    !host.memory.hasRoom ||
    host.waiting.get(listener.ID)!.established.length > listener.BACKLOG
  );
}

/** A connection in SYN-RECEIVED, from the SYN that has come for `listener`. */
function passiveOpen(
  host: Host,
  listener: Pcb,
  source: IpAddress,
  segment: TcpHeader,
  now: number,
  lastUsed?: number,
): Pcb {
  const pcb = host.create();
  pcb.LISTENER = listener.ID;
  pcb.localAddress = host.addressTowards(source);
  pcb.LOCAL_PORT = listener.LOCAL_PORT;
  pcb.remoteAddress = source;
  pcb.REMOTE_PORT = segment.sourcePort;
  inheritOptions(pcb, listener);
  begin(host, pcb, now, lastUsed);
  offerEcn(pcb);
  synchronize(host, pcb, segment, now);
  setSendWindow(host, pcb, segment);
  host.waiting.get(listener.ID)!.synReceived++;
  host.setState(pcb, State.SYN_RECEIVED);
  host.counters.TcpPassiveOpens++;
  host.connections.add(pcb);
  host.wantOutput(pcb);
  return pcb;
}

/** RFC 9293 section 3.10.7.3. */
function arrivesInSynSent(host: Host, pcb: Pcb, segment: TcpHeader, now: number): void {
  const { flags, SEG_ACK } = segment;
  // First, check the ACK bit.
  const isAcceptable =
    (flags & ACK) !== 0 && seqLessThan(pcb.ISS, SEG_ACK) && seqLessOrEqual(SEG_ACK, pcb.SND_NXT);
  if ((flags & ACK) !== 0 && !isAcceptable) {
    resetSegment(host, segment, pcb.remoteAddress);
    return;
  }
  // Second, check the RST bit.
  if (flags & RST) {
    if (isAcceptable) host.finish(pcb, errnoNumber('ECONNREFUSED'));
    return;
  }
  // Fourth, check the SYN bit. What text or FIN comes with it will come again.
  if ((flags & SYN) === 0) return;
  synchronize(host, pcb, segment, now);
  setSendWindow(host, pcb, segment);
  if (isAcceptable) {
    ourSynIsAcknowledged(host, pcb, segment, now);
    acknowledgeNow(host, pcb);
  } else {
    // Simultaneous open (RFC 9293 section 3.5, figure 7): our SYN goes out once more, with an ACK.
    host.setState(pcb, State.SYN_RECEIVED);
    pcb.SYN_NOW = 1;
    host.wantOutput(pcb);
  }
}

/** RFC 9293 section 3.10.7.4. */
function arrivesInOtherStates(
  host: Host,
  pcb: Pcb,
  segment: TcpHeader,
  bytes: Uint8Array,
  now: number,
): void {
  if (lacksTimestamps(pcb, segment)) return;
  if (isOldDuplicate(pcb, segment, now)) {
    unacceptable(host, pcb, segment, now);
    return;
  }
  if (!checkSequenceNumber(host, pcb, segment, now)) return;
  if (!checkRst(host, pcb, segment, now)) return;
  if (!checkSyn(host, pcb, segment, now)) return;
  if (!checkAck(host, pcb, segment, now)) return;
  // Not before: who cannot tell what was sent must not set the clock of PAWS.
  noteTimestamp(pcb, segment, now);
  noteUserTimeout(pcb, segment.options);
  checkUrg(host, pcb, segment);
  processText(host, pcb, segment, bytes, now);
}

/** First, check the sequence number. */
function checkSequenceNumber(host: Host, pcb: Pcb, segment: TcpHeader, now: number): boolean {
  const { flags } = segment;
  if (isAcceptable(pcb, segment)) return true;
  if (flags & RST) return false;
  const isPeersSyn = (flags & SYN) !== 0 && segment.SEG_SEQ === pcb.IRS;
  if (pcb.isSynOutstanding && isPeersSyn) {
    // Simultaneous open: the peer's SYN comes again, now with an ACK of ours.
    if (flags & ACK) return true;
    repeatedSynArrives(pcb, segment);
    // The peer has not got our SYN, ACK.
    pcb.SYN_NOW = 1;
    host.wantOutput(pcb);
    return false;
  }
  if (pcb.STATE === State.TIME_WAIT && flags & FIN) restartTimeWait(host, pcb, now);
  unacceptable(host, pcb, segment, now);
  return false;
}

/** "If an incoming segment is not acceptable, an acknowledgment should be sent in reply." */
function unacceptable(host: Host, pcb: Pcb, segment: TcpHeader, now: number): void {
  // Without text it may be the answer to an ACK of ours: two that disagree would never stop.
  if (segment.SEG_LEN === 0 || segment.flags & SYN) challengeAck(host, pcb, now);
  else duplicateArrives(host, pcb, segment);
}

/**
 * The four cases of RFC 9293 section 3.4, table 6. At RCV.NXT a segment is taken whatever the window, for the sake of its
 * ACK and RST; of its text, only what fits. An ACK alone is taken at the right edge too, as in Linux (tcp_sequence): that is where
 * it stands when text has filled the window and was lost.
 */
function isAcceptable(pcb: Pcb, segment: TcpHeader): boolean {
  const { SEG_SEQ, SEG_LEN } = segment;
  const { RCV_NXT, RCV_WND } = pcb;
  if (SEG_SEQ === RCV_NXT) return true;
  if (RCV_WND === 0) return false;
  if (seqInWindow(SEG_SEQ, RCV_NXT, RCV_WND)) return true;
  if (SEG_LEN === 0) return SEG_SEQ === seqAdd(RCV_NXT, RCV_WND) && (segment.flags & RST) === 0;
  return seqInWindow(seqAdd(SEG_SEQ, SEG_LEN - 1), RCV_NXT, RCV_WND);
}

/**
 * Second, check the RST bit, with RFC 5961 section 3.2: only the exact number resets. Nothing resets TIME-WAIT (RFC 1337 section
 * 3, F1): what answers the ACK of an old duplicate has the exact number too, and would end the wait that the next
 * incarnation needs.
 */
function checkRst(host: Host, pcb: Pcb, segment: TcpHeader, now: number): boolean {
  if ((segment.flags & RST) === 0) return true;
  if (pcb.STATE === State.TIME_WAIT) return false;
  if (segment.SEG_SEQ !== pcb.RCV_NXT) {
    challengeAck(host, pcb, now);
    return false;
  }
  switch (pcb.STATE) {
    case State.SYN_RECEIVED:
      // Of a passive open no user knows yet. It goes, and the listener is in LISTEN as before.
      if (pcb.LISTENER !== 0) pcb.CLOSED_BY_USER = 1;
      host.finish(pcb, errnoNumber('ECONNREFUSED'));
      break;
    case State.CLOSING:
    case State.LAST_ACK:
      host.finish(pcb, 0);
      break;
    default:
      host.finish(pcb, errnoNumber('ECONNRESET'));
  }
  return false;
}

/** Fourth, check the SYN bit, with RFC 5961 section 4.2. (Third, security, is of the past.) */
function checkSyn(host: Host, pcb: Pcb, segment: TcpHeader, now: number): boolean {
  if ((segment.flags & SYN) === 0) return true;
  // The simultaneous open, which the first check has let through.
  if (pcb.isSynOutstanding && segment.SEG_SEQ === pcb.IRS) return true;
  if (pcb.STATE === State.SYN_RECEIVED && pcb.LISTENER !== 0) {
    pcb.CLOSED_BY_USER = 1;
    host.finish(pcb, 0);
    return false;
  }
  challengeAck(host, pcb, now);
  return false;
}

/** Fifth, check the ACK field. */
function checkAck(host: Host, pcb: Pcb, segment: TcpHeader, now: number): boolean {
  const { flags, SEG_ACK } = segment;
  if ((flags & ACK) === 0) return false;
  if (pcb.isSynOutstanding) {
    if (!seqLessThan(pcb.SND_UNA, SEG_ACK) || seqLessThan(pcb.SND_NXT, SEG_ACK)) {
      resetSegment(host, segment, pcb.remoteAddress);
      return false;
    }
    setSendWindow(host, pcb, segment);
    ourSynIsAcknowledged(host, pcb, segment, now);
    if (flags & SYN) acknowledgeNow(host, pcb);
  } else {
    // RFC 5961 section 5.2: not beyond what was sent, nor older than any window could explain.
    const oldest = seqAdd(pcb.SND_UNA, -pcb.MAX_SND_WND);
    if (seqLessThan(SEG_ACK, oldest) || seqLessThan(pcb.SND_NXT, SEG_ACK)) {
      challengeAck(host, pcb, now);
      return false;
    }
    if (!seqLessThan(SEG_ACK, pcb.SND_UNA)) acknowledgmentArrives(host, pcb, segment, now);
  }
  if (pcb.isFinAcknowledged && !ourFinIsAcknowledged(host, pcb, now)) return false;
  return true;
}

/**
 * What follows from our FIN being acknowledged.
 * @returns false when the connection is over
 */
function ourFinIsAcknowledged(host: Host, pcb: Pcb, now: number): boolean {
  switch (pcb.STATE) {
    case State.FIN_WAIT_1:
      host.setState(pcb, State.FIN_WAIT_2);
      waitForPeerFin(host, pcb, now);
      return true;
    case State.CLOSING:
      enterTimeWait(host, pcb, now);
      return true;
    case State.LAST_ACK:
      host.finish(pcb, 0);
      return false;
    default:
      return true;
  }
}

/**
 * Sixth, check the URG bit: urgent text is delivered in its place like any other (RFC 6093 section 6); the user is told
 * where it ends.
 */
function checkUrg(host: Host, pcb: Pcb, segment: TcpHeader): void {
  if ((segment.flags & URG) === 0 || !mayReceiveText(pcb.STATE)) return;
  const end = pcb.RECEIVE_END + seqSub(seqAdd(segment.SEG_SEQ, segment.SEG_UP), pcb.RCV_NXT);
  if (end <= Math.max(pcb.URGENT_END, pcb.RECEIVE_START)) return;
  pcb.URGENT_END = end;
  host.changed(pcb);
}

/** Seventh, process the segment text, and eighth, check the FIN bit. */
function processText(
  host: Host,
  pcb: Pcb,
  segment: TcpHeader,
  bytes: Uint8Array,
  now: number,
): void {
  if (!mayReceiveText(pcb.STATE)) {
    // After the peer's FIN there can be no text. A FIN that fits here, it cannot have sent: RCV.NXT is behind it.
    return;
  }
  if (segment.SEG_LEN === 0 || segment.flags & SYN) return;
  const isNew = seqSub(seqAdd(segment.SEG_SEQ, segment.payloadLength), pcb.RCV_NXT) > 0;
  if (isNew && pcb.CLOSED_BY_USER === 1) {
    // Nobody will read it, and the peer must know (RFC 9293 section 3.6.1).
    resetSegment(host, segment, pcb.remoteAddress);
    host.finish(pcb, 0);
    return;
  }
  if (segment.payloadLength > 0) noteMark(pcb, segment);
  if (textArrives(host, pcb, segment, bytes, now)) peersFinArrives(host, pcb, now);
}

/** Eighth, check the FIN bit: everything before it has arrived. */
function peersFinArrives(host: Host, pcb: Pcb, now: number): void {
  pcb.RCV_NXT = seqAdd(pcb.RCV_NXT, 1);
  pcb.FIN_RECEIVED = 1;
  pcb.IS_FIN_AHEAD = 0;
  pcb.reassembly = undefined;
  pcb.receiveStream.forgetBeyondEnd();
  acknowledgeFin(host, pcb, now);
  switch (pcb.STATE) {
    case State.ESTABLISHED:
      host.setState(pcb, State.CLOSE_WAIT);
      break;
    case State.FIN_WAIT_1:
      // Our FIN is not acknowledged: the fifth check would have left this state.
      host.setState(pcb, State.CLOSING);
      break;
    case State.FIN_WAIT_2:
      enterTimeWait(host, pcb, now);
      break;
  }
}

/** RFC 9293 section 3.6.1: long enough for everything of this connection to have left the net. */
function enterTimeWait(host: Host, pcb: Pcb, now: number): void {
  pcb.RETRANSMISSION_DEADLINE = 0;
  pcb.PERSIST_DEADLINE = 0;
  restartTimeWait(host, pcb, now);
  host.setState(pcb, State.TIME_WAIT);
}

function restartTimeWait(host: Host, pcb: Pcb, now: number): void {
  pcb.END_DEADLINE = now + host.timeWait;
  host.arm(pcb);
}

/** The peer's SYN: its numbers begin here, and its options are what we agree on. */
function synchronize(host: Host, pcb: Pcb, segment: TcpHeader, now: number): void {
  const { options } = segment;
  const { RCV_WND } = pcb;
  pcb.IRS = segment.SEG_SEQ;
  pcb.RCV_NXT = seqAdd(pcb.IRS, 1);
  pcb.RCV_ADV = seqAdd(pcb.RCV_NXT, RCV_WND);
  pcb.LAST_ACK_SENT = pcb.RCV_NXT;
  const mss = options.hasMss ? options.mss : defaultMss(pcb.remoteAddress);
  if (options.hasWindowScale) {
    pcb.NEGOTIATED |= Negotiated.WINDOW_SCALE;
    pcb.SND_WSCALE = options.windowScale;
  } else {
    pcb.RCV_WSCALE = 0;
  }
  if (options.sackPermitted) pcb.NEGOTIATED |= Negotiated.SACK;
  synchronizeTimestamps(pcb, segment, now);
  noteUserTimeout(pcb, options);
  synchronizeEcn(pcb, segment);
  // The option counts neither header's options (RFC 6691).
  pcb.MAX_SND_MSS = Math.max(
    MIN_MSS,
    Math.min(mss, mssToOffer(host.mtu, pcb, pcb.remoteAddress)) - timestampsSize(pcb),
  );
  pcb.SND_MSS = pcb.MAX_SND_MSS;
  beginOnPath(host, pcb, now);
}

/** SYN-SENT or SYN-RECEIVED becomes ESTABLISHED; a FIN that is queued, or has left already, leads on to FIN-WAIT-1. */
function ourSynIsAcknowledged(host: Host, pcb: Pcb, segment: TcpHeader, now: number): void {
  const { SEG_ACK } = segment;
  const { SND_NXT } = pcb;
  host.leaveSynReceived(pcb);
  const isPathDoubtful = pcb.BACKOFF > 1;
  measure(pcb, segment, now);
  startDataTransfer(pcb);
  beginQuickAcks(pcb);
  oweUserTimeout(pcb);
  pcb.SND_UNA = SEG_ACK;
  pcb.SYN_NOW = 0;
  pcb.RETRANSMISSION_DEADLINE = 0;
  congestionControlOf(pcb).start(pcb);
  // RFC 6928 section 2: one lost SYN may be a short RTO; more than one begin with one segment.
  if (isPathDoubtful) pcb.cwnd = pcb.SND_MSS;
  if (seqLessThan(SEG_ACK, SND_NXT)) {
    // The FIN that left before.
    pcb.sent(SEG_ACK, SND_NXT, pcb.LAST_SENT);
    startRetransmissionTimer(host, pcb, now);
  }
  host.setState(pcb, State.ESTABLISHED);
  queueForAccept(host, pcb);
  if (pcb.FIN_QUEUED === 1) enterClosing(host, pcb);
  host.wantOutput(pcb);
}

/** A passive open is done: the connection waits for its listener's user. */
function queueForAccept(host: Host, pcb: Pcb): void {
  const waiting = host.waiting.get(pcb.LISTENER);
  if (pcb.LISTENER === 0 || waiting === undefined) return;
  pcb.QUEUE_ORDER = host.nextQueueOrder++;
  waiting.established.push(pcb);
  const listener = host.pcbs.get(pcb.LISTENER);
  if (listener !== undefined) host.changed(listener);
}
