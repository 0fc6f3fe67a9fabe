import type { Pcb } from '../../tcp/pcb.ts';
import type { Stack } from '../../tcp/stack.ts';

/**
 * What a simulated engine needs of a journal: staged in a turn, committed at its end, durable some time later. A crash drops
 * what is not durable. `persist/connections.ts` can stand behind it as well as the one below.
 */
export interface Journal {
  stage(pcb: Pcb): void;
  remove(id: number): void;
  /** @returns the number of the turn */
  commit(nextId: number): number;
  /** Everything up to `turn` is durable. */
  settle(turn: number): void;
  crash(): void;
  restoreInto(stack: Stack): void;
}

/** All bytes a stream has had, by offset, as far as they were staged. */
class History {
  #bytes = new Uint8Array(1024);
  #end = 0;

  /** @param copy gives the stream's bytes from an offset */
  stage(start: number, end: number, copy: (from: number, length: number) => Uint8Array): void {
    const from = Math.max(start, this.#end);
    if (from >= end) return;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(end)));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(copy(from, end - from), from);
    this.#end = end;
  }

  /** What lies beyond `end` was never durable. */
  restore(start: number, end: number): Uint8Array {
    this.#end = end;
    return this.#bytes.subarray(start, end);
  }
}

interface Turn {
  readonly number: number;
  readonly nextId: number;
  /** The records that changed, by ID; undefined: gone. */
  readonly records: Map<number, Uint8Array | undefined>;
}

/** Durable as long as the simulation: records by ID, streams as their histories. */
export class MemoryJournal implements Journal {
  readonly #durable = new Map<number, Uint8Array>();
  readonly #sent = new Map<number, History>();
  readonly #received = new Map<number, History>();
  #nextId = 1;
  #committed: Turn[] = [];
  #staged = new Map<number, Uint8Array | undefined>();
  #turn = 1;

  stage(pcb: Pcb): void {
    const { ID } = pcb;
    this.#staged.set(ID, pcb.record.slice());
    if (pcb.SEND_END > pcb.SEND_START) {
      const { sendStream } = pcb;
      historyOf(this.#sent, ID).stage(pcb.SEND_START, pcb.SEND_END, (from, length) => {
        const bytes = new Uint8Array(length);
        sendStream.copy(from, length, bytes);
        return bytes;
      });
    }
    if (pcb.RECEIVE_END > pcb.RECEIVE_START) {
      const { receiveStream } = pcb;
      historyOf(this.#received, ID).stage(pcb.RECEIVE_START, pcb.RECEIVE_END, (from, length) => {
        const bytes = new Uint8Array(length);
        receiveStream.copy(from, length, bytes);
        return bytes;
      });
    }
  }

  remove(id: number): void {
    this.#staged.set(id, undefined);
  }

  commit(nextId: number): number {
    const number = this.#turn++;
    this.#committed.push({ number, nextId, records: this.#staged });
    this.#staged = new Map();
    return number;
  }

  settle(turn: number): void {
    while (this.#committed.length > 0 && this.#committed[0]!.number <= turn) {
      const { nextId, records } = this.#committed.shift()!;
      this.#nextId = nextId;
      for (const [id, record] of records) {
        if (record === undefined) this.#durable.delete(id);
        else this.#durable.set(id, record);
      }
    }
  }

  crash(): void {
    this.#committed = [];
    this.#staged = new Map();
  }

  restoreInto(stack: Stack): void {
    for (const [id, record] of this.#durable) {
      const pcb = stack.restore(record);
      const sent = historyOf(this.#sent, id).restore(pcb.SEND_START, pcb.SEND_END);
      if (sent.length > 0) pcb.sendStream.append(sent);
      const received = historyOf(this.#received, id).restore(pcb.RECEIVE_START, pcb.RECEIVE_END);
      if (received.length > 0) pcb.receiveStream.append(received);
    }
    stack.nextId = this.#nextId;
  }
}

function historyOf(histories: Map<number, History>, id: number): History {
  let history = histories.get(id);
  if (history === undefined) {
    history = new History();
    histories.set(id, history);
  }
  return history;
}
