import type { IpAddress } from './address.ts';

export interface QueuedPacket {
  /** A whole IP packet. */
  readonly packet: Uint8Array;
  readonly destination: IpAddress;
}

/** Whole IP packets that wait for room to leave, oldest first. */
export class PacketQueue<Item extends QueuedPacket = QueuedPacket> {
  #items: Item[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  add(item: Item): void {
    this.#items.push(item);
  }

  /** The oldest. */
  get first(): Item | undefined {
    return this.#items[this.#first];
  }

  /** The oldest has left. */
  shift(): void {
    this.#first++;
    if (this.#first < this.#items.length) return;
    this.#items = [];
    this.#first = 0;
  }
}
