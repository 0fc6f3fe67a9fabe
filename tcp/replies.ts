/** What arrives in one turn is answered at most this often; beyond that, the net has to ask again. */
const MOST_WAITING = 1024;

/** Whole IP packets that belong to no connection: resets, echo replies, ICMP errors. They wait here for room to leave. */
export class Replies {
  #packets: Uint8Array[] = [];
  #first = 0;

  /** Takes over `packet`, or drops it when too many wait. */
  push(packet: Uint8Array): void {
    if (this.#packets.length - this.#first < MOST_WAITING) this.#packets.push(packet);
  }

  /** The oldest. */
  get first(): Uint8Array | undefined {
    return this.#packets[this.#first];
  }

  shift(): void {
    this.#first++;
    if (this.#first < this.#packets.length) return;
    this.#packets = [];
    this.#first = 0;
  }
}
