import { Memory, type MemoryUse } from './memory.ts';
import { seqLessOrEqual, seqLessThan, seqMax, seqMin, seqSub } from './sequence.ts';

/** What is known of a part; bits. */
const SACKED = 1;
const LOST = 2;
const RETRANSMITTED = 4;

/** What the stack's clock may not tell apart, milliseconds. */
const CLOCK_TICK = 1;

/** What a part takes in the three arrays. */
const BYTES_OF_A_PART = 4 + 8 + 1;

/** The time of a part that another engine has sent, or that was never really sent. */
const UNKNOWN = -Infinity;

/**
 * Everything from SND.UNA to SND.NXT: the scoreboard of RFC 6675 and the transmission times of RFC 8985 in one. It is cut into
 * parts that follow each other; all of a part was last sent at one time and is in one state: in flight, SACKed, or lost and
 * to be sent again. What leaves in one turn is one part until the peer or the path tells its segments apart.
 *
 * Numbers are sequence numbers, counts are of them, times are milliseconds of the stack's clock.
 */
export class Flight {
  /** Beyond so many parts SACK blocks that would cut one more are not believed, and what is sent joins the last part. */
  static readonly MAX_PARTS = 4096;

  readonly #memory: MemoryUse;
  // A part is at the same index in each; those of now are at [#head, #tail).
  #ends = new Uint32Array(8);
  #times = new Float64Array(8);
  #marks = new Uint8Array(8);
  #head = 0;
  #tail = 0;
  /** SND.UNA. */
  #start: number;
  #sacked = 0;
  #lost = 0;
  #retransmittedParts = 0;

  // What the acknowledgment that is being processed has told. `beginAcknowledgment` forgets it.
  #now = 0;
  #leastRoundTrip = 0;
  #echoedTime = Infinity;
  #highestBefore: number;
  /** How many numbers were delivered that had not been SACKed. */
  delivered = 0;
  /** How many of them were lost and had not been sent again: they were not lost. */
  lostArrived = 0;
  /** Of the segment sent last among those delivered: when it was sent, and its end; -Infinity: none is known. */
  deliveredTime = UNKNOWN;
  deliveredEnd = 0;
  /** Whether something was delivered after what was sent later, and was sent only once (RFC 8985 section 6.2, step 3). */
  isReordered = false;

  /** RACK.fack: one past the highest number delivered. */
  highestDelivered: number;

  constructor(start: number, memory: MemoryUse = new Memory(Infinity)) {
    this.#memory = memory;
    this.#start = start;
    this.#highestBefore = start;
    this.highestDelivered = start;
  }

  get isEmpty(): boolean {
    return this.#head === this.#tail;
  }

  /** One past the last number. */
  get end(): number {
    return this.isEmpty ? this.#start : this.#ends[this.#tail - 1]!;
  }

  /** The first number of what left last, or of what left together with it. */
  get lastStart(): number {
    return this.isEmpty ? this.#start : this.#startOf(this.#tail - 1);
  }

  /** How many numbers are believed to be on the path (RFC 6675 section 2, "pipe"). */
  get pipe(): number {
    return seqSub(this.end, this.#start) - this.#sacked - this.#lost;
  }

  /** How many numbers the peer has SACKed. */
  get sacked(): number {
    return this.#sacked;
  }

  /** How many numbers are to be sent again. */
  get lost(): number {
    return this.#lost;
  }

  /** How many parts it has. */
  get parts(): number {
    return this.#tail - this.#head;
  }

  /** Whether what was sent before something delivered may still be on the path: only then can RACK find a loss. */
  get isOutOfOrder(): boolean {
    return this.#sacked > 0 || this.#retransmittedParts > 0;
  }

  /** A segment of [from, to) leaves: again as far as it has left before. */
  sent(from: number, to: number, now: number): void {
    const { end } = this;
    if (seqLessThan(from, end)) this.#sentAgain(from, seqMin(to, end), now);
    if (seqLessThan(end, to)) this.#append(to, now, 0);
  }

  /** [end, to) may or may not have left; nothing is known of it but that it is to be sent again. */
  presumeLost(to: number): void {
    if (!seqLessThan(this.end, to)) return;
    this.#lost += seqSub(to, this.end);
    this.#append(to, UNKNOWN, LOST);
  }

  /**
   * @param leastRoundTrip RACK.min_RTT, milliseconds
   * @param echoedTime when the segment that the acknowledgment answers had left at the latest; Infinity: not known
   */
  beginAcknowledgment(now: number, leastRoundTrip: number, echoedTime: number): void {
    this.#now = now;
    this.#leastRoundTrip = leastRoundTrip;
    this.#echoedTime = echoedTime;
    this.#highestBefore = this.highestDelivered;
    this.delivered = 0;
    this.lostArrived = 0;
    this.deliveredTime = UNKNOWN;
    this.isReordered = false;
  }

  /** Everything before `SEG_ACK` has arrived, for good. */
  acknowledge(SEG_ACK: number): void {
    this.#reserve(1);
    while (this.#head < this.#tail && seqLessThan(this.#start, SEG_ACK)) {
      const at = this.#head;
      if (seqLessThan(SEG_ACK, this.#ends[at]!)) this.#insertCut(at, SEG_ACK);
      this.#arrived(at);
      this.#unmark(at);
      this.#start = this.#ends[at]!;
      this.#head++;
    }
  }

  /** The peer says that [left, right) has arrived, after what it has acknowledged. What of it is not part of the flight is not looked at. */
  sack(left: number, right: number): void {
    const from = seqMax(left, this.#start);
    const to = seqMin(right, this.end);
    if (!seqLessThan(from, to)) return;
    // Out of order the peer echoes an earlier segment's timestamp (RFC 7323 section 4.3, step 2): it tells nothing of this one.
    this.#echoedTime = Infinity;
    this.#reserve(2);
    const most = this.#mostParts;
    const first = this.#cut(from, most);
    const past = this.#cut(to, most);
    // Where a cut was refused, the part that it would have cut has not arrived as a whole.
    for (let at = seqLessThan(this.#startOf(first), from) ? first + 1 : first; at < past; at++) {
      if (this.#marks[at]! & SACKED) continue;
      this.#arrived(at);
      this.#unmark(at);
      this.#marks[at] = SACKED;
      this.#sacked += this.#lengthOf(at);
    }
    this.#join(first - 1, past);
  }

  /**
   * The peer stands at SND.UNA and yet has said that it has what comes next: it has thrown that away, as it may (RFC 2018
   * section 8), and so perhaps the rest.
   * @returns whether it was so; then what it had SACKed is lost
   */
  renege(): boolean {
    if (this.isEmpty || (this.#marks[this.#head]! & SACKED) === 0) return false;
    for (let at = this.#head; at < this.#tail; at++) {
      if ((this.#marks[at]! & SACKED) === 0) continue;
      this.#lose(at);
      this.#times[at] = UNKNOWN;
    }
    this.#join(this.#head, this.#tail);
    return true;
  }

  /** Everything that the peer has not SACKed is lost. */
  loseAll(): void {
    for (let at = this.#head; at < this.#tail; at++) {
      if ((this.#marks[at]! & SACKED) === 0) this.#lose(at);
    }
    this.#join(this.#head, this.#tail);
  }

  /** Of [from, to), which is part of the flight, everything that the peer has not SACKed is lost. */
  loseBetween(from: number, to: number): void {
    this.#reserve(2);
    const first = this.#cut(from, Infinity);
    const past = this.#cut(to, Infinity);
    for (let at = first; at < past; at++) {
      if ((this.#marks[at]! & SACKED) === 0) this.#lose(at);
    }
    this.#join(first - 1, past);
  }

  /** What was lost is on the path after all. What may never have left is still to be sent. */
  takeBackLost(): void {
    for (let at = this.#head; at < this.#tail; at++) {
      if ((this.#marks[at]! & LOST) === 0 || this.#times[at] === UNKNOWN) continue;
      this.#marks[at]! &= ~LOST;
      this.#lost -= this.#lengthOf(at);
    }
    this.#join(this.#head, this.#tail);
  }

  /** The first `count` numbers, or as many as there are, are lost. */
  loseFirst(count: number): void {
    const to = count < seqSub(this.end, this.#start) ? (this.#start + count) >>> 0 : this.end;
    this.#reserve(1);
    const past = this.#cut(to, Infinity);
    for (let at = this.#head; at < past; at++) {
      if ((this.#marks[at]! & SACKED) === 0) this.#lose(at);
    }
  }

  /**
   * RACK_detect_loss (RFC 8985 section 6.2, step 5): lost is what was sent before the segment sent at `time` that ends at
   * `end`, and `patience` milliseconds ago or more.
   * What was sent again gets one tick of the clock in any case: on a path that takes no time it would otherwise be lost as soon
   * as it is sent, again and again.
   * @returns when the last of those that were sent before that segment but not so long ago will be lost; -Infinity: none is left
   */
  loseSentBefore(time: number, end: number, patience: number, now: number): number {
    let last = UNKNOWN;
    for (let at = this.#head; at < this.#tail; at++) {
      if (this.#marks[at]! & (SACKED | LOST)) continue;
      const sentAt = this.#times[at]!;
      const isBefore = sentAt < time || (sentAt === time && seqLessThan(this.#ends[at]!, end));
      if (!isBefore) continue;
      const isAgain = (this.#marks[at]! & RETRANSMITTED) !== 0;
      const lostAt = sentAt + (isAgain ? Math.max(patience, CLOCK_TICK) : patience);
      if (lostAt <= now) this.#lose(at);
      else if (lostAt > last) last = lostAt;
    }
    return last;
  }

  /** The first number that is to be sent again; `end` when none is. */
  get firstLost(): number {
    for (let at = this.#head; this.#lost > 0 && at < this.#tail; at++) {
      if (this.#marks[at]! & LOST) return this.#startOf(at);
    }
    return this.end;
  }

  /** One past the last number of those from `firstLost` on that are to be sent again without a gap. */
  get firstLostEnd(): number {
    let end = this.end;
    let isFound = false;
    for (let at = this.#head; at < this.#tail; at++) {
      if (this.#marks[at]! & LOST) {
        isFound = true;
        end = this.#ends[at]!;
      } else if (isFound) {
        break;
      }
    }
    return end;
  }

  /** Part `at` is delivered, if it has not been before. */
  #arrived(at: number): void {
    const marks = this.#marks[at]!;
    if (marks & SACKED) return;
    const end = this.#ends[at]!;
    const time = this.#times[at]!;
    this.delivered += this.#lengthOf(at);
    if (time === UNKNOWN) return;
    if ((marks & (LOST | RETRANSMITTED)) === LOST) this.lostArrived += this.#lengthOf(at);
    if ((marks & RETRANSMITTED) === 0) {
      if (seqLessThan(end, this.#highestBefore)) this.isReordered = true;
    } else {
      // RFC 8985 section 6.2, step 2: is it rather the earlier transmission that has arrived?
      if (this.#echoedTime < time) return;
      if (this.#now - time < this.#leastRoundTrip) return;
    }
    this.highestDelivered = seqMax(this.highestDelivered, end);
    const isLater =
      time > this.deliveredTime ||
      (time === this.deliveredTime && seqLessThan(this.deliveredEnd, end));
    if (!isLater) return;
    this.deliveredTime = time;
    this.deliveredEnd = end;
  }

  #sentAgain(from: number, to: number, now: number): void {
    this.#reserve(2);
    const first = this.#cut(from, Infinity);
    const past = this.#cut(to, Infinity);
    for (let at = first; at < past; at++) {
      this.#unmark(at);
      this.#marks[at] = RETRANSMITTED;
      this.#retransmittedParts++;
      this.#times[at] = now;
    }
    this.#join(first - 1, past);
  }

  #lose(at: number): void {
    if (this.#marks[at]! & LOST) return;
    const wasRetransmitted = this.#marks[at]! & RETRANSMITTED;
    this.#unmark(at);
    this.#marks[at] = LOST | wasRetransmitted;
    if (wasRetransmitted) this.#retransmittedParts++;
    this.#lost += this.#lengthOf(at);
  }

  /** Takes part `at` out of all counts; its marks are void. */
  #unmark(at: number): void {
    const marks = this.#marks[at]!;
    if (marks & SACKED) this.#sacked -= this.#lengthOf(at);
    if (marks & LOST) this.#lost -= this.#lengthOf(at);
    if (marks & RETRANSMITTED) this.#retransmittedParts--;
    this.#marks[at] = 0;
  }

  #startOf(at: number): number {
    return at === this.#head ? this.#start : this.#ends[at - 1]!;
  }

  #lengthOf(at: number): number {
    return seqSub(this.#ends[at]!, this.#startOf(at));
  }

  #append(to: number, time: number, marks: number): void {
    const last = this.#tail - 1;
    const isFull = this.parts >= this.#mostParts && marks === 0;
    if (
      last >= this.#head &&
      this.#marks[last] === marks &&
      (this.#times[last] === time || isFull)
    ) {
      this.#ends[last] = to;
      this.#times[last] = time;
      return;
    }
    this.#reserve(1);
    this.#ends[this.#tail] = to;
    this.#times[this.#tail] = time;
    this.#marks[this.#tail] = marks;
    this.#tail++;
  }

  /**
   * Makes a part begin at `seq`, which is in the flight or its end, unless there are `most` already. There is room for one.
   * @returns the index of the part that begins there, or if that was refused, of the one that has it
   */
  #cut(seq: number, most: number): number {
    let low = this.#head;
    let high = this.#tail;
    // The first part that ends after seq.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (seqLessOrEqual(this.#ends[middle]!, seq)) low = middle + 1;
      else high = middle;
    }
    if (low === this.#tail || this.#startOf(low) === seq || this.parts >= most) return low;
    this.#insertCut(low, seq);
    return low + 1;
  }

  /** Cuts part `at` in two at `seq`. There is room for one more. */
  #insertCut(at: number, seq: number): void {
    this.#ends.copyWithin(at + 1, at, this.#tail);
    this.#times.copyWithin(at + 1, at, this.#tail);
    this.#marks.copyWithin(at + 1, at, this.#tail);
    this.#ends[at] = seq;
    if (this.#marks[at]! & RETRANSMITTED) this.#retransmittedParts++;
    this.#tail++;
  }

  /** Makes one part of those in [from, to) that follow each other and do not differ. What was SACKed has no time of interest. */
  #join(from: number, to: number): void {
    const first = Math.max(from, this.#head);
    const past = Math.min(to + 1, this.#tail);
    let kept = first;
    for (let at = first + 1; at < past; at++) {
      const marks = this.#marks[at]!;
      const isSame =
        marks === this.#marks[kept] &&
        (this.#times[at] === this.#times[kept] || (marks & SACKED) !== 0);
      if (isSame) {
        if (marks & RETRANSMITTED) this.#retransmittedParts--;
      } else {
        kept++;
      }
      this.#ends[kept] = this.#ends[at]!;
      this.#times[kept] = this.#times[at]!;
      this.#marks[kept] = marks;
    }
    const gone = past - 1 - kept;
    if (gone <= 0) return;
    this.#ends.copyWithin(kept + 1, past, this.#tail);
    this.#times.copyWithin(kept + 1, past, this.#tail);
    this.#marks.copyWithin(kept + 1, past, this.#tail);
    this.#tail -= gone;
  }

  /** Nothing of it is used any more. */
  release(): void {
    this.#memory.count(BYTES_OF_A_PART * this.#ends.length, 0);
  }

  /**
   * How many parts there may be before what would only tell more of them apart is refused. What is sent again is cut also
   * beyond that, by no more than the segments that fit a window.
   */
  get #mostParts(): number {
    const bytes = BYTES_OF_A_PART * this.#ends.length;
    // The arrays double as soon as they are half full.
    return Math.min(Flight.MAX_PARTS, Math.floor(this.#memory.most(bytes) / BYTES_OF_A_PART / 4));
  }

  /** Makes room for `count` more parts. Indices are then others. */
  #reserve(count: number): void {
    if (this.#tail + count <= this.#ends.length) return;
    const isLarger = this.parts * 2 > this.#ends.length;
    const size = isLarger ? 2 * this.#ends.length : this.#ends.length;
    this.#memory.count(BYTES_OF_A_PART * this.#ends.length, BYTES_OF_A_PART * size);
    const ends = isLarger ? new Uint32Array(size) : this.#ends;
    const times = isLarger ? new Float64Array(size) : this.#times;
    const marks = isLarger ? new Uint8Array(size) : this.#marks;
    ends.set(this.#ends.subarray(this.#head, this.#tail));
    times.set(this.#times.subarray(this.#head, this.#tail));
    marks.set(this.#marks.subarray(this.#head, this.#tail));
    this.#ends = ends;
    this.#times = times;
    this.#marks = marks;
    this.#tail -= this.#head;
    this.#head = 0;
  }
}
