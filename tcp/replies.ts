import type { IpAddress } from './address.ts';

/** What arrives in one turn is answered at most this often; beyond that, the net has to ask again. */
const MOST_WAITING = 1024;

export interface Reply {
  readonly packet: Uint8Array;
  readonly destination: IpAddress;
}

/** Whole IP packets that belong to no connection: resets, echo replies, ICMP errors. They wait here for room to leave. */
export class Replies {
  #replies: Reply[] = [];
  #first = 0;

  /** Takes over `packet`, or drops it when too many wait. */
  push(packet: Uint8Array, destination: IpAddress): void {
    if (this.#replies.length - this.#first < MOST_WAITING) {
      this.#replies.push({ packet, destination });
    }
  }

  /** The oldest. */
  get first(): Reply | undefined {
    return this.#replies[this.#first];
  }

  shift(): void {
    this.#first++;
    if (this.#first < this.#replies.length) return;
    this.#replies = [];
    this.#first = 0;
  }
}
