import { Account } from './account.ts';
import { ByteStream } from './byte-stream.ts';
import { ControlBlock } from './control-block.ts';
import { Flight } from './flight.ts';
import { DEFAULT_KEEPALIVE_IDLE, DEFAULT_KEEPALIVE_INTERVAL } from './keepalive.ts';
import type { Memory } from './memory.ts';
import type { Reassembly } from './reassembly.ts';
import { carried, defineRecord, durable, hint, type RecordPool } from './record.ts';
import { seqAdd, seqMax, seqSub } from './sequence.ts';
import { State, type StateName, stateName } from './state.ts';
import type { TimerItem } from './timer-heap.ts';

/**
 * The transmission control block (RFC 9293 section 3.3.1). `SND_` and `RCV_` are the RFC's SND. and RCV.; numbers are
 * sequence numbers if u32 and not said otherwise, times are milliseconds of the stack's clock, and 0 is "not set".
 *
 * What an ACK changes (SND_UNA, SEND_START, the send window) is carried, not durable: an engine that forgets an ACK
 * sends again what the peer has, and is told so. The record is consistent all the same, because SND_UNA and
 * SEND_START always change together.
 *
 * The order of these lines is part of the store's layout.
 */
const FIELDS = {
  /** Never used again for another connection. */
  ID: durable.f64,
  STATE: durable.u8,
  /** Linux errno of what ended the connection or its attempt; 0: nothing did. */
  ERROR: durable.u8,

  // The endpoints: IPv4 as IPv4-mapped words; port 0 is "none yet".
  LOCAL_ADDRESS_0: durable.u32,
  LOCAL_ADDRESS_1: durable.u32,
  LOCAL_ADDRESS_2: durable.u32,
  LOCAL_ADDRESS_3: durable.u32,
  REMOTE_ADDRESS_0: durable.u32,
  REMOTE_ADDRESS_1: durable.u32,
  REMOTE_ADDRESS_2: durable.u32,
  REMOTE_ADDRESS_3: durable.u32,
  LOCAL_PORT: durable.u16,
  REMOTE_PORT: durable.u16,
  /** Whether `bind` chose the local port, which keeps others from it. */
  IS_BOUND: durable.u8,
  /** Whether `::` is to stand for IPv6 alone (RFC 3493 section 5.3, IPV6_V6ONLY). */
  V6ONLY: durable.u8,

  // Passive opens.
  /** Of a listener: how many connections may wait to be accepted, less one (listen(2)). */
  BACKLOG: durable.u32,
  /** Of a connection not yet accepted: the ID of its listener. */
  LISTENER: durable.f64,
  /** The order in which such connections were established; 0 before. */
  QUEUE_ORDER: durable.f64,

  // Send sequence space (RFC 9293 figure 3).
  ISS: durable.u32,
  SND_UNA: carried.u32,
  /** Bytes, scaled. */
  SND_WND: carried.u32,
  SND_WL1: carried.u32,
  SND_WL2: carried.u32,
  /** Stream offset of the oldest byte not acknowledged: where `sendStream` starts. */
  SEND_START: carried.f64,
  /** Stream offset one past the newest byte that the user has sent. */
  SEND_END: durable.f64,
  /** Whether a FIN follows that byte. Once true, SEND_END stays. */
  FIN_QUEUED: durable.u8,

  // Receive sequence space (RFC 9293 figure 4).
  IRS: durable.u32,
  RCV_NXT: durable.u32,
  /** One past the last number ever offered to the peer, never to be taken back (RFC 9293 section 3.8.6). */
  RCV_ADV: durable.u32,
  /**
   * Whether a stand-in has told the peer that its window is closed, though RCV_ADV says otherwise: see stand-in/. Then it is told so until text
   * comes. Linux lets what it has in flight wait for as long as the window is closed, and if that opens before any of it is acknowledged,
   * it ends the connection for having waited so long (net/ipv4/tcp_timer.c, tcp_retransmit_timer).
   */
  WINDOW_SHUT: durable.u8,
  /** Stream offset of the oldest byte that the user has not read. */
  RECEIVE_START: durable.f64,
  /** Stream offset of RCV_NXT, not counting a FIN. */
  RECEIVE_END: durable.f64,
  /** Whether everything up to the peer's FIN has arrived. */
  FIN_RECEIVED: durable.u8,
  /** Stream offset one past the last byte that the peer has called urgent: RCV.UP; 0: none. */
  URGENT_END: carried.f64,
  /** Text has come with a mark, and nothing yet with CWR: every ACK says ECE (RFC 3168 section 6.1.3). */
  ECN_ECHO: carried.u8,

  // What the SYNs agreed on, once and for all.
  /**
   * Bytes of text in the largest segment that may ever be sent: the peer's MSS option within our MTU (RFC 9293 section
   * 3.7.1), less the options that every segment has (RFC 6691).
   */
  MAX_SND_MSS: durable.u16,
  /** Snd.Wind.Shift and Rcv.Wind.Shift (RFC 7323 section 2.3); before the SYNs have met, what we offer. */
  SND_WSCALE: durable.u8,
  RCV_WSCALE: durable.u8,
  /** Bits of `Negotiated`. Before the SYNs have met, of ECN, what we offer. */
  NEGOTIATED: durable.u8,

  /**
   * Bytes of text in the largest segment that the path is believed to carry: MAX_SND_MSS, or less. An engine that forgets
   * what it has learned of the path learns it again.
   */
  SND_MSS: carried.u16,

  // Timestamps (RFC 7323). Each TSval is u32, in milliseconds.
  /** Above every TSval that may have been sent. */
  TSVAL_RESERVED: durable.u32,
  /** TS.Recent, and when it came. */
  TS_RECENT: carried.u32,
  TS_RECENT_AT: carried.f64,

  // What the user has asked for.
  /** The program is done with it: it goes when TCP is done. */
  CLOSED_BY_USER: durable.u8,
  /** Whether reading is at its end once what has arrived is read: shutdown(2) with SHUT_RD. */
  RCV_SHUTDOWN: durable.u8,
  /** Whether small segments need not wait for acknowledgments (RFC 9293 section 3.7.4). */
  NODELAY: durable.u8,
  /** Whether new text is spread over the round trip. */
  PACING: durable.u8,
  /** Whether to ask an idle peer if it is still there (RFC 9293 section 3.8.4). */
  KEEPALIVE: durable.u8,
  /** How long it is idle before, and between questions, milliseconds, and how many may go unanswered; 0: the default. */
  KEEPALIVE_IDLE: durable.u32,
  KEEPALIVE_INTERVAL: durable.u32,
  KEEPALIVE_COUNT: durable.u8,
  /** How long what was sent may go unacknowledged (RFC 5482), milliseconds; 0: R2 of RFC 9293 section 3.8.3. */
  USER_TIMEOUT: durable.u32,
  /** Whether peers are told of it, and heard when they tell theirs (RFC 5482 section 3.1, ENABLED). */
  UTO: durable.u8,
  /** What the peer has told, within our limits, milliseconds; 0: nothing. */
  REMOTE_UTO: durable.u32,
  /** Most bytes of text in a segment, either way; 0: what the MTU and the peer say. */
  MAXSEG: durable.u16,
  /** How it finds its sending rate: see congestion-control/selected.ts. */
  CONGESTION_CONTROL: durable.u8,
  /** What the connection outlives: see durability.ts. */
  DURABILITY: durable.u8,
  /** Whether its SYN asks for ECN (RFC 3168 section 6.1.1). A peer that asks gets it always. */
  ECN: durable.u8,
  /** Sizes of the buffers, bytes; 0: the stack's default, and the receive buffer grows. */
  SNDBUF: durable.u32,
  RCVBUF: durable.u32,
  TTL: durable.u8,
  TOS: durable.u8,

  /** When TIME-WAIT ends (RFC 9293 section 3.6.1), or FIN-WAIT-2 after CLOSE. */
  END_DEADLINE: durable.f64,
  /** When a segment of the peer last arrived. */
  LAST_HEARD: carried.f64,
  // Moves from host to host: see move-out.ts.
  /** How often it has moved out: of two files with the same connection, the one that says more is the later one. */
  MOVES: durable.u32,
  /** In MOVED: the state that it was in, which is in its file; CLOSED: there is no file of it any more. */
  MOVED_FROM: durable.u8,
  /** In MOVED: when it moved out, by this clock and by the wall clock, milliseconds since 1970. */
  MOVED_AT: durable.f64,
  MOVED_AT_WALL: durable.f64,

  /** How often the retransmission or persist timer has run out since the round-trip time was last measured. */
  BACKOFF: durable.u8,
  /** When it first did since something was acknowledged: giving up does not begin again with each engine. */
  UNANSWERED_SINCE: durable.f64,

  // Hints: what to send next.
  /** The highest number sent, plus one. After a restore: everything in `sendStream` may have been sent. */
  SND_NXT: hint.u32,
  /** A SYN must leave. */
  SYN_NOW: hint.u8,
  /** The largest SND_WND seen (RFC 5961 section 5.2 MAX.SND.WND; RFC 9293 section 3.8.6.2.1 Max(SND.WND)). */
  MAX_SND_WND: hint.u32,
  /** One past the last number that left in a segment which was not full: the others that are not full wait for its acknowledgment. */
  SND_SML: hint.u32,
  /** An acknowledgment must leave, alone or with text. */
  ACK_NOW: hint.u8,
  /** How many further acknowledgments must leave, alone: one for each segment out of order (RFC 5681 section 4.2). */
  DUPLICATE_ACKS_OWED: hint.u8,
  /** How many segments with text no acknowledgment has covered yet. */
  SEGMENTS_TO_ACK: hint.u16,
  /** How many more segments are acknowledged at once, because the connection has just begun. */
  QUICK_ACKS: hint.u8,
  /** The first segment of what is lost must leave, whatever cwnd says (RFC 5681 section 3.2; RFC 6675 section 5, step 4.3). */
  RETRANSMIT_NOW: hint.u8,
  /** A zero-window or small-window probe must leave (RFC 9293 section 3.8.6.1). */
  PROBE_NOW: hint.u8,
  /** The next segment is to tell USER_TIMEOUT (RFC 5482 section 3.2). */
  UTO_OWED: hint.u8,
  /** A keep-alive must leave (RFC 9293 section 3.8.4). */
  KEEPALIVE_NOW: hint.u8,
  /** Restored, and not yet answered: one segment may be in flight. */
  RESUMING: hint.u8,

  // Hints: the buffers.
  /** How many bytes may wait to be acknowledged, when more than the stack's default. */
  SEND_BUFFER: hint.u32,
  /** How many bytes may wait to be read, when more than the stack's default. */
  RECEIVE_BUFFER: hint.u32,
  /** Since when its use is observed, and what RECEIVE_START was then. */
  READ_SINCE: hint.f64,
  READ_FROM: hint.f64,

  // Hints: timestamps (RFC 7323).
  /** Last.ACK.sent, also without timestamps: what the peer may know to have arrived. */
  LAST_ACK_SENT: hint.u32,
  /** When this clock began, in whole milliseconds; the echo of a TSval that is older tells no time. */
  TSVAL_SINCE: hint.f64,
  /** TSval is the stack's clock plus this. After a restore it follows from TSVAL_RESERVED. */
  TS_OFFSET: hint.u32,

  // Hints: out of order.
  /** Where the peer's FIN is, when it has come before text that precedes it. */
  FIN_AT: hint.u32,
  IS_FIN_AHEAD: hint.u8,

  /** A duplicate that has arrived and not been reported (RFC 2883): nothing if both are the same. */
  DSACK_LEFT: hint.u32,
  DSACK_RIGHT: hint.u32,

  // Hints: round-trip time (RFC 6298), milliseconds.
  SRTT: hint.f64,
  RTTVAR: hint.f64,
  RTO: hint.f64,
  /** When the segment being timed was sent, and the number whose acknowledgment ends the measurement. */
  RTT_STARTED: hint.f64,
  RTT_SEQ: hint.u32,

  // Hints: loss and congestion (RFC 5681, RFC 6582), bytes.
  cwnd: hint.u32,
  ssthresh: hint.u32,
  /**
   * FlightSize (RFC 5681 section 2) when the last turn ended. The ACKs of one turn are taken before what they let go can
   * leave: SND.NXT - SND.UNA in the middle of them says nothing of how the window was used.
   */
  FlightSize: hint.u32,
  /** Bytes acknowledged since cwnd last grew in congestion avoidance. */
  CWND_ACKED: hint.u32,
  /** CUBIC (RFC 9438 section 4.1.2): W_max, when the stage began and cwnd then, W_est, cwnd_prior. */
  CUBIC_W_MAX: hint.f64,
  CUBIC_EPOCH: hint.f64,
  CUBIC_CWND_EPOCH: hint.f64,
  CUBIC_W_EST: hint.f64,
  CUBIC_CWND_PRIOR: hint.f64,
  DUPACKS: hint.u8,
  IN_RECOVERY: hint.u8,
  recover: hint.u32,
  /** How far F-RTO (RFC 5682) has come: see f-rto.ts. */
  F_RTO: hint.u8,

  // Hints: HyStart++ (RFC 9406 section 4.2), milliseconds.
  /** windowEnd: where the round ends. */
  ROUND_END: hint.u32,
  /** rttSampleCount, as far as it matters. */
  ROUND_SAMPLES: hint.u8,
  /** currentRoundMinRTT and lastRoundMinRTT; of the first, only while there are samples; of the second, 0: not known. */
  ROUND_MIN_RTT: hint.f64,
  LAST_ROUND_MIN_RTT: hint.f64,
  /** cssBaselineMinRtt; 0: not in conservative slow start. And how many rounds that has lasted. */
  CSS_BASELINE_RTT: hint.f64,
  CSS_ROUND: hint.u8,

  // Hints: what congestion control knew before it answered a loss, to go back to when there was none (undo.ts).
  /** When it did, milliseconds, until something new is acknowledged; 0: since then something was. */
  REDUCED_AT: hint.f64,
  PRIOR_cwnd: hint.u32,
  PRIOR_ssthresh: hint.u32,
  PRIOR_CWR_NOW: hint.u8,
  PRIOR_IN_CWR: hint.u8,
  PRIOR_CWR_END: hint.u32,
  PRIOR_CUBIC_W_MAX: hint.f64,
  PRIOR_CUBIC_CWND_EPOCH: hint.f64,
  PRIOR_CUBIC_EPOCH: hint.f64,
  PRIOR_CUBIC_W_EST: hint.f64,
  PRIOR_CUBIC_CWND_PRIOR: hint.f64,

  // Hints: ECN (RFC 3168 section 6.1.2).
  /** The next new text must say CWR. */
  CWR_NOW: hint.u8,
  /** The window has been reduced, at which SND.NXT, and nothing sent since is acknowledged. */
  IN_CWR: hint.u8,
  CWR_END: hint.u32,

  // Hints: RACK (RFC 8985 section 5.2). Times are milliseconds.
  /** Of the segment sent last among those delivered: when it was sent, its end, and its round-trip time; 0: none has been. */
  RACK_XMIT_TS: hint.f64,
  RACK_END_SEQ: hint.u32,
  RACK_RTT: hint.f64,
  /** The least round-trip time of late, and when it was measured. */
  RACK_MIN_RTT: hint.f64,
  RACK_MIN_RTT_AT: hint.f64,
  RACK_REORDERING_SEEN: hint.u8,
  /** How many quarters of RACK_MIN_RTT to wait for what may be reordered, less one, and for how many more recoveries. */
  RACK_REO_WND_MORE: hint.u8,
  RACK_REO_WND_PERSIST: hint.u8,
  /** SND.NXT when a duplicate was last reported that made it wait longer, while IS_DSACK_ROUND. */
  RACK_DSACK_ROUND: hint.u32,
  IS_DSACK_ROUND: hint.u8,
  // Hints: tail loss probe (RFC 8985 section 7.1).
  /** A tail loss probe must leave. */
  TAIL_PROBE_NOW: hint.u8,
  /** Whether one is out whose fate is not known, whether it was a retransmission (TLP.is_retrans), and TLP.end_seq. */
  IS_PROBE_OUT: hint.u8,
  IS_PROBE_AGAIN: hint.u8,
  PROBE_END_SEQ: hint.u32,

  // Hints: the search for the path's MTU (RFC 4821 section 7), bytes of text in a segment.
  /** search_high: the largest size that is not known to be too large. */
  SEARCH_HIGH: hint.u16,
  /** Whether a probe of this search has been lost. */
  IS_BISECTING: hint.u8,
  /** When the last search ended, or an ICMP message made one needless. */
  SEARCHED_AT: hint.f64,
  /** The probe that is out: the size it is about, 0 if none is, and its numbers. */
  MTU_PROBE_SIZE: hint.u16,
  MTU_PROBE_SEQ: hint.u32,
  MTU_PROBE_END: hint.u32,
  /** How often the retransmission timer has run out since something was acknowledged. */
  TIMEOUTS_IN_A_ROW: hint.u8,

  // Hints: proportional rate reduction (RFC 9937 section 5), bytes.
  RecoverFS: hint.u32,
  prr_delivered: hint.u32,
  prr_out: hint.u32,

  /** Since when the window has been too small to send, without a pause. */
  STUCK_SINCE: hint.f64,
  /** errno of the last soft error (RFC 5461 section 2). */
  SOFT_ERROR: hint.u8,
  /** When text was last sent (RFC 5681 section 4.1). */
  LAST_SENT: hint.f64,

  // Hints: rate of challenge ACKs (RFC 5961 section 7).
  CHALLENGES_SINCE: hint.f64,
  CHALLENGES: hint.u8,

  // Hints: timers.
  RETRANSMISSION_DEADLINE: hint.f64,
  PERSIST_DEADLINE: hint.f64,
  /** When to ask for the tail (RFC 8985 section 7.2, PTO). */
  PROBE_DEADLINE: hint.f64,
  /** When what may be reordered counts as lost (RFC 8985 section 6.2). */
  REORDERING_DEADLINE: hint.f64,
  DELAYED_ACK_DEADLINE: hint.f64,
  /** When new text that waits for its time may leave. */
  PACING_DEADLINE: hint.f64,
  /** When what has been sent would have left at the pace of the path. */
  PACED_UNTIL: hint.f64,
  KEEPALIVE_PROBES: hint.u8,
} as const;

/** Bits of `pcb.NEGOTIATED`. */
export const Negotiated = {
  WINDOW_SCALE: 1,
  SACK: 2,
  TIMESTAMPS: 4,
  /** The peer's text may be marked, and we echo the marks. */
  ECN: 8,
  /** Our text may be marked: also, no SYN of ours or the peer's has been without ECN (RFC 3168 section 6.1.1). */
  ECT: 16,
} as const;

const definition = defineRecord(FIELDS, ControlBlock);

/** Bytes of a whole record in memory. */
export const RECORD_WIDTH = definition.width;
/** Bytes of `pcb.record`, what the journal holds of each connection beside its streams. */
export const RECORD_LENGTH = definition.journaledLength;
/** Name, type and offset of each field in it. */
export const RECORD_LAYOUT = definition.journaledFields;

/** What a PCB needs of the stack it belongs to. */
export interface PcbOwner {
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  readonly memory: Memory;
  /** A durable field of `pcb` has got a new value. */
  touched(pcb: Pcb): void;
}

/** One connection, or one listener, or one that is neither yet. */
export class Pcb extends definition.Base implements TimerItem {
  readonly #owner: PcbOwner;
  /** It is the engine's own and gone with it: nothing of it is journaled. */
  readonly isTransient: boolean;
  override readonly account: Account;
  #sendStream: ByteStream | undefined;
  #receiveStream: ByteStream | undefined;
  /** What has arrived beyond RCV_NXT, as offsets of `receiveStream`; undefined: nothing. */
  reassembly: Reassembly | undefined;
  /** Numbers before RCV_NXT that are to be acknowledged first, each by an ACK of its own. */
  readonly earlierAcks: number[] = [];

  /** What was sent and is not acknowledged, in a synchronized state; undefined: nothing. */
  flight: Flight | undefined;

  // Belongs to the stack: on which of its lists this PCB is.
  heapIndex = -1;
  wantsOutput = false;
  nextInBucket: Pcb | undefined;

  constructor(pool: RecordPool, owner: PcbOwner, isTransient = false) {
    super(pool);
    this.#owner = owner;
    this.isTransient = isTransient;
    this.account = new Account(owner.memory);
  }

  protected override touched(): void {
    if (!this.isTransient) this.#owner.touched(this);
  }

  override get record(): Uint8Array {
    return this.bytes(RECORD_LENGTH);
  }

  /** The name RFC 9293 has for the state. */
  get state(): StateName {
    return stateName(this.STATE);
  }

  /** Bytes sent by the user and not yet acknowledged. Offset 0 is sequence number ISS + 1. */
  get sendStream(): ByteStream {
    this.#sendStream ??= new ByteStream(this.sendBuffer, this.SEND_START, this.account);
    return this.#sendStream;
  }

  /** Bytes received and not yet read by the user. Offset 0 is sequence number IRS + 1. */
  get receiveStream(): ByteStream {
    this.#receiveStream ??= new ByteStream(this.#receiveLimit, this.RECEIVE_START, this.account);
    return this.#receiveStream;
  }

  /** The peer may fill what it was offered, also when the buffer has been made smaller since. */
  get #receiveLimit(): number {
    const offered = this.RECEIVE_END - this.RECEIVE_START + this.RCV_WND;
    return Math.max(this.receiveBuffer, offered);
  }

  /** How many bytes may wait to be acknowledged. It only grows, unless the user has set it. */
  get sendBuffer(): number {
    return this.SNDBUF || Math.max(this.#owner.sendBuffer, this.SEND_BUFFER);
  }

  set sendBuffer(bytes: number) {
    this.SEND_BUFFER = bytes;
    const stream = this.sendStream;
    stream.limit = Math.max(stream.limit, bytes);
  }

  /** How many bytes may wait to be read. It only grows, unless the user has set it. */
  get receiveBuffer(): number {
    return this.RCVBUF || Math.max(this.#owner.receiveBuffer, this.RECEIVE_BUFFER);
  }

  set receiveBuffer(bytes: number) {
    this.RECEIVE_BUFFER = bytes;
    const stream = this.receiveStream;
    stream.limit = Math.max(stream.limit, bytes);
  }

  /** The user has set the size of a buffer. What a stream holds stays, and so does what the peer was offered. */
  resizeBuffers(): void {
    if (this.#sendStream !== undefined) this.#sendStream.limit = this.sendBuffer;
    if (this.#receiveStream !== undefined) this.#receiveStream.limit = this.#receiveLimit;
  }

  /** Whether the peer has acknowledged our SYN. */
  get wasEstablished(): boolean {
    return this.SND_UNA !== this.ISS || this.SEND_START > 0;
  }

  /** Bytes that `receive` would give just now. */
  get readable(): number {
    return this.STATE === State.MOVED ? 0 : this.RECEIVE_END - this.RECEIVE_START;
  }

  /**
   * How many of the next bytes to read, or to come, the peer has called urgent. They are in the stream like all others
   * (RFC 6093 section 6).
   */
  get urgentPending(): number {
    return Math.max(0, this.URGENT_END - this.RECEIVE_START);
  }

  /** Whether everything has been read, and the peer's FIN has been reached or the user has shut receiving down. */
  get atEnd(): boolean {
    return (this.FIN_RECEIVED === 1 || this.RCV_SHUTDOWN === 1) && this.readable === 0;
  }

  /** Bytes that `send` would take just now. */
  get writable(): number {
    const { STATE } = this;
    const isOpen =
      STATE === State.ESTABLISHED ||
      STATE === State.CLOSE_WAIT ||
      STATE === State.SYN_SENT ||
      STATE === State.SYN_RECEIVED;
    return isOpen && this.FIN_QUEUED === 0 ? this.sendSpace : 0;
  }

  /** Whether it has moved out, and all that it was is still here to be written to a file. */
  get hasFile(): boolean {
    return this.STATE === State.MOVED && this.MOVED_FROM !== State.CLOSED;
  }

  /** How many bytes may wait to be acknowledged, as far as there is memory. */
  get sendRoom(): number {
    return Math.min(this.sendStream.limit, this.sendStream.affordable);
  }

  /** Room in the send buffer, bytes. */
  get sendSpace(): number {
    return Math.max(0, this.sendRoom - (this.SEND_END - this.SEND_START));
  }

  /** How many bytes may wait to be read, as far as there is memory. */
  get receiveRoom(): number {
    return Math.min(this.receiveBuffer, this.receiveStream.affordable);
  }

  /** Room in the receive buffer, bytes, whether or not it has been offered to the peer. */
  get receiveSpace(): number {
    return Math.max(0, this.receiveRoom - this.readable);
  }

  /** RCV.WND: how many bytes the peer has been offered and has not filled. */
  get RCV_WND(): number {
    return Math.max(0, seqSub(this.RCV_ADV, this.RCV_NXT));
  }

  /** The peer may send up to `edge`, a sequence number: from now on, whatever becomes of the buffer. */
  offer(edge: number): void {
    this.RCV_ADV = seqMax(this.RCV_ADV, edge);
  }

  /** Whether a FIN is to be sent, or has been and is not yet acknowledged. */
  get isFinOutstanding(): boolean {
    const { STATE } = this;
    return STATE === State.FIN_WAIT_1 || STATE === State.CLOSING || STATE === State.LAST_ACK;
  }

  /** Of a connection: whether its SYN is not acknowledged. Mostly that is SYN-SENT or SYN-RECEIVED; see `enterClosing`. */
  get isSynOutstanding(): boolean {
    return this.SND_UNA === this.ISS && this.SEND_START === 0;
  }

  /** Whether SND_UNA is behind the FIN. */
  get isFinAcknowledged(): boolean {
    return this.FIN_QUEUED === 1 && this.SND_UNA === seqAdd(this.ISS, this.SEND_END + 2);
  }

  /** The number after everything that is to be sent, text and FIN. */
  get sendEndSeq(): number {
    const text = this.SEND_END - this.SEND_START;
    return seqAdd(this.SND_UNA, text + (this.isFinOutstanding ? 1 : 0));
  }

  /** How many of the numbers sent are believed to be on the path. */
  get pipe(): number {
    return this.flight?.pipe ?? 0;
  }

  /** Whether something is to be sent, and nothing is on its way whose acknowledgment would tell when. */
  get isStuck(): boolean {
    return this.pipe === 0 && this.SND_UNA !== this.sendEndSeq;
  }

  /** When the next of its timers is due; Infinity: none is set. */
  get deadline(): number {
    // What its timers had left is in its file.
    if (this.hasFile) return Infinity;
    let earliest = Infinity;
    if (this.RETRANSMISSION_DEADLINE !== 0) earliest = this.RETRANSMISSION_DEADLINE;
    if (this.PERSIST_DEADLINE !== 0) earliest = Math.min(earliest, this.PERSIST_DEADLINE);
    if (this.PROBE_DEADLINE !== 0) earliest = Math.min(earliest, this.PROBE_DEADLINE);
    if (this.REORDERING_DEADLINE !== 0) earliest = Math.min(earliest, this.REORDERING_DEADLINE);
    if (this.DELAYED_ACK_DEADLINE !== 0) earliest = Math.min(earliest, this.DELAYED_ACK_DEADLINE);
    if (this.PACING_DEADLINE !== 0) earliest = Math.min(earliest, this.PACING_DEADLINE);
    if (this.END_DEADLINE !== 0) earliest = Math.min(earliest, this.END_DEADLINE);
    return Math.min(earliest, this.keepaliveDeadline);
  }

  /** When the next keep-alive is due; Infinity while there is other traffic to learn from, or it is not wanted. */
  get keepaliveDeadline(): number {
    const { STATE } = this;
    const isIdle = this.SND_UNA === this.sendEndSeq;
    if (this.KEEPALIVE === 0 || !isIdle) return Infinity;
    if (STATE !== State.ESTABLISHED && STATE !== State.CLOSE_WAIT) return Infinity;
    const idle = this.KEEPALIVE_IDLE || DEFAULT_KEEPALIVE_IDLE;
    const interval = this.KEEPALIVE_INTERVAL || DEFAULT_KEEPALIVE_INTERVAL;
    return this.LAST_HEARD + idle + this.KEEPALIVE_PROBES * interval;
  }

  /** Whether both streams hold what the record says they do. */
  get areStreamsComplete(): boolean {
    return (
      (this.#sendStream?.end ?? this.SEND_START) === this.SEND_END &&
      (this.#receiveStream?.end ?? this.RECEIVE_START) === this.RECEIVE_END
    );
  }

  /** The user sends source[0, ...): as many bytes as there is room for. */
  queue(source: Uint8Array): number {
    const count = this.sendStream.append(source, 0, Math.min(source.length, this.sendSpace));
    this.SEND_END = this.sendStream.end;
    return count;
  }

  /**
   * The peer has acknowledged everything before `SEG_ACK`.
   * @returns how many bytes of the stream that were
   */
  acknowledge(SEG_ACK: number): number {
    const to = Math.min(this.SEND_START + seqSub(SEG_ACK, this.SND_UNA), this.SEND_END);
    const count = to - this.SEND_START;
    if (count > 0) {
      this.sendStream.discard(to);
      this.SEND_START = to;
    }
    this.SND_UNA = SEG_ACK;
    this.#takeMarksAlong();
    this.flight?.acknowledge(SEG_ACK);
    if (this.flight?.isEmpty) this.#dropFlight();
    return count;
  }

  /** Marks that SND.UNA has passed stay right behind it: left where they were, they would seem to lie ahead 2 GiB later. */
  #takeMarksAlong(): void {
    const passed = seqAdd(this.SND_UNA, -1);
    this.recover = seqMax(this.recover, passed);
    this.RACK_DSACK_ROUND = seqMax(this.RACK_DSACK_ROUND, passed);
    this.ROUND_END = seqMax(this.ROUND_END, passed);
  }

  /** A segment of [from, to) leaves. */
  sent(from: number, to: number, now: number): void {
    this.flight ??= new Flight(this.SND_UNA, this.account);
    this.flight.sent(from, to, now);
    this.SND_NXT = this.flight.end;
  }

  /** Everything before `to` may have been sent and is to be sent again: an ACK of it is to be taken. */
  presumeLost(to: number): void {
    if (to === this.SND_UNA) return;
    this.flight ??= new Flight(this.SND_UNA, this.account);
    this.flight.presumeLost(to);
    this.SND_NXT = this.flight.end;
  }

  /** `receiveStream` now holds in order everything before `to`, an offset. */
  takeIn(to: number): void {
    this.receiveStream.extend(to);
    this.RCV_NXT = seqAdd(this.RCV_NXT, to - this.RECEIVE_END);
    this.RECEIVE_END = to;
    this.WINDOW_SHUT = 0;
  }

  /** The user reads as many bytes as there are and `target` holds. */
  read(target: Uint8Array): number {
    const count = this.peek(0, target);
    if (count === 0) return 0;
    this.receiveStream.discard(this.RECEIVE_START + count);
    this.RECEIVE_START += count;
    return count;
  }

  /**
   * As `read`, but what `target` gets can still be read.
   * @param from how many bytes before them are passed over
   */
  peek(from: number, target: Uint8Array): number {
    const count = Math.min(this.readable - from, target.length);
    if (count <= 0) return 0;
    this.receiveStream.copy(this.RECEIVE_START + from, count, target);
    return count;
  }

  #dropFlight(): void {
    this.flight?.release();
    this.flight = undefined;
  }

  /** Nothing more will be sent or received: keeps only what the user may still read. */
  dropBuffers(): void {
    this.reassembly = undefined;
    this.#dropFlight();
    this.#sendStream?.reset(this.SEND_END);
    this.#sendStream = undefined;
    this.SEND_START = this.SEND_END;
    this.#receiveStream?.forgetBeyondEnd();
    this.RETRANSMISSION_DEADLINE = 0;
    this.PERSIST_DEADLINE = 0;
    this.PROBE_DEADLINE = 0;
    this.REORDERING_DEADLINE = 0;
    this.DELAYED_ACK_DEADLINE = 0;
    this.PACING_DEADLINE = 0;
    this.END_DEADLINE = 0;
  }

  /** Nothing leaves or is expected any more: keeps only what a file of it needs. */
  stand(): void {
    this.reassembly = undefined;
    this.#dropFlight();
    this.#receiveStream?.forgetBeyondEnd();
  }

  /** Nothing more will be sent, received or read. */
  dropStreams(): void {
    this.dropBuffers();
    this.#receiveStream?.reset(this.RECEIVE_END);
    this.#receiveStream = undefined;
    this.RECEIVE_START = this.RECEIVE_END;
  }

  /** Gives the record's slot back. The last values stay readable. */
  remove(): void {
    this.dropBuffers();
    this.#receiveStream?.reset(this.RECEIVE_END);
    this.#receiveStream = undefined;
    this.isRemoved = true;
    this.release();
  }
}
