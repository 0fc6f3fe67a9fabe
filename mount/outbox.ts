import { assert } from '../tcp/assert.ts';
import type { Egress } from '../tcp/egress.ts';
import { crashPoint } from './crash-point.ts';
import type { ResidentMemory } from './resident-memory.ts';
import { emitPlainHeader, emitUnfinishedHeader, VIRTIO_HEADER_LENGTH } from './virtio-header.ts';

/** Writes one packet or reply: the bytes at `address + offset`. Failures are the writer's to handle. */
export type Writer = (offset: number, length: number) => void;

const REPLY = 0;
const PACKET = 1;

/** Replies hold 64-bit fields; eight bytes keep them aligned. */
const ALIGNMENT = 8;

/** Room before a packet for its virtio header, which ends where the packet begins. */
const HEADROOM = Math.ceil(VIRTIO_HEADER_LENGTH / ALIGNMENT) * ALIGNMENT;

/**
 * Everything visible waits here, in the order it was made, until the journal covers the turn it was made in.
 * Nothing else in the daemon writes to /dev/fuse or the TUN while requests are served.
 *
 * The memory is a ring. It is resident because the kernel reads replies from it: a page fault in an engine that is being
 * killed would turn a reply into EIO.
 */
export class Outbox {
  readonly replies: Egress;
  readonly packets: Egress;

  readonly #memory: ResidentMemory;
  readonly #writers: readonly [reply: Writer, packet: Writer];

  /** One element for each output that has not been written, oldest first. */
  #kinds: number[] = [];
  #offsets: number[] = [];
  #lengths: number[] = [];
  /** The oldest output not yet written, as an index into the arrays above. */
  #first = 0;
  /** How many outputs, from `#first`, each sealed turn has brought; oldest turn first. */
  #sealed: { turn: number; end: number }[] = [];
  /** Where the next output is written. */
  #tail = 0;
  #reserved = -1;
  #isFull = false;

  /** @param hasHeaders whether packets get a virtio header, and TCP segments are finished by whom they are written to */
  constructor(memory: ResidentMemory, writeReply: Writer, writePacket: Writer, hasHeaders = false) {
    this.#memory = memory;
    this.#writers = [writeReply, writePacket];
    this.replies = this.#egress(REPLY);
    this.packets = hasHeaders ? this.#egressWithHeaders() : this.#egress(PACKET);
  }

  /** Whether nothing waits to be written. */
  get empty(): boolean {
    return this.#first === this.#kinds.length;
  }

  /** Whether there was no room for an output, and none has left since. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** The oldest turn whose outputs have not all been written; undefined: they have. */
  get oldestTurn(): number | undefined {
    return this.#sealed[0]?.turn;
  }

  /**
   * Ends a turn: what was put in since the last seal may leave once `turn` is durable.
   * @param turn the newest turn of the journal; everything these outputs depend on is in it or in an earlier one
   * @returns whether it has brought anything
   */
  seal(turn: number): boolean {
    const last = this.#sealed.at(-1);
    assert(last === undefined || last.turn <= turn, 'turns are sealed in order');
    const end = this.#kinds.length;
    if (end === (last?.end ?? this.#first)) return false;
    if (last?.turn === turn) last.end = end;
    else this.#sealed.push({ turn, end });
    return true;
  }

  /**
   * Writes every output that `durable` covers, and no other.
   * @param durable the newest turn that the journal will not lose
   */
  release(durable: number): void {
    const { length } = this.#sealed;
    while (this.#sealed.length > 0 && this.#sealed[0]!.turn <= durable) {
      const { end } = this.#sealed.shift()!;
      while (this.#first < end) {
        const i = this.#first;
        this.#writers[this.#kinds[i] as 0 | 1](this.#offsets[i]!, this.#lengths[i]!);
        this.#first += 1;
        if (this.#first < end) crashPoint('between-outputs');
      }
    }
    if (this.#sealed.length < length) {
      this.#isFull = false;
      crashPoint('after-outputs');
    }
    this.#forgetWritten();
  }

  #forgetWritten(): void {
    if (this.empty) {
      this.#kinds.length = this.#offsets.length = this.#lengths.length = 0;
      // Starting over at the same bytes keeps them in the processor's cache.
      this.#tail = 0;
    } else if (this.#first > 0) {
      this.#kinds.splice(0, this.#first);
      this.#offsets.splice(0, this.#first);
      this.#lengths.splice(0, this.#first);
      for (const seal of this.#sealed) seal.end -= this.#first;
    }
    this.#first = 0;
  }

  #egress(kind: typeof REPLY | typeof PACKET): Egress {
    const { bytes, view } = this.#memory;
    return {
      bytes,
      view,
      reserve: (length) => this.#reserve(length),
      commit: (length) => this.#commit(kind, length),
    };
  }

  #egressWithHeaders(): Egress {
    const { bytes, view } = this.#memory;
    const room = HEADROOM - VIRTIO_HEADER_LENGTH;
    const commit = (length: number) => {
      this.#reserved += room;
      this.#commit(PACKET, VIRTIO_HEADER_LENGTH + length);
    };
    return {
      bytes,
      view,
      reserve: (length) => {
        const at = this.#reserve(HEADROOM + length);
        return at < 0 ? at : at + HEADROOM;
      },
      commit: (length) => {
        emitPlainHeader(view, this.#reserved + room);
        commit(length);
      },
      commitUnfinished: (length, segmentSize) => {
        const packet = this.#reserved + HEADROOM;
        emitUnfinishedHeader(view, this.#reserved + room, packet, length, segmentSize);
        commit(length);
      },
    };
  }

  #reserve(length: number): number {
    this.#reserved = this.#place(length);
    if (this.#reserved < 0) this.#isFull = true;
    return this.#reserved;
  }

  #place(length: number): number {
    const size = this.#memory.bytes.length;
    if (this.empty) return length <= size ? 0 : -1;
    const head = this.#offsets[this.#first]!;
    const tail = this.#tail;
    // The tail never catches up with the head: equal means empty.
    if (tail <= head) return tail + length < head ? tail : -1;
    if (tail + length <= size) return tail;
    return length < head ? 0 : -1;
  }

  #commit(kind: typeof REPLY | typeof PACKET, length: number): void {
    assert(this.#reserved >= 0, 'an output is reserved before it is committed');
    this.#kinds.push(kind);
    this.#offsets.push(this.#reserved);
    this.#lengths.push(length);
    this.#tail = Math.ceil((this.#reserved + length) / ALIGNMENT) * ALIGNMENT;
    this.#reserved = -1;
  }
}
