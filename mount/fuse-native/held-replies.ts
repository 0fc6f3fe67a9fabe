import { assert } from '../../tcp/assert.ts';
import type { Egress } from '../../tcp/egress.ts';

/** Bytes that one takes in the outbox. */
export const HELD_REPLY_SIZE = 4;

/**
 * Replies whose turn is not committed. The outbox decides when each leaves, and has a number for each: what they say is in
 * libfuse's memory already.
 */
export class HeldReplies {
  readonly #replies = new Map<number, () => void>();
  #next = 0;

  /** @param egress where there is room for it */
  hold(egress: Egress, reply: () => void): void {
    const start = egress.reserve(HELD_REPLY_SIZE);
    assert(start >= 0, 'there is room for a reply');
    this.#next = (this.#next + 1) >>> 0;
    this.#replies.set(this.#next, reply);
    egress.view.setUint32(start, this.#next, true);
    egress.commit(HELD_REPLY_SIZE);
  }

  /** Lets the reply out whose number is at `offset` of the outbox. */
  release(view: DataView, offset: number): void {
    const number = view.getUint32(offset, true);
    const reply = this.#replies.get(number);
    assert(reply !== undefined, 'a reply leaves once');
    this.#replies.delete(number);
    reply();
  }
}
