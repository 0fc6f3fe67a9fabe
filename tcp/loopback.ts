import type { Egress } from './egress.ts';

/** Packets from the stack to its own address: they arrive again without leaving it. */
export class Loopback implements Egress {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #packets: Uint8Array[] = [];

  /** @param mtu of the largest packet, bytes */
  constructor(mtu: number) {
    this.bytes = new Uint8Array(mtu);
    this.view = new DataView(this.bytes.buffer);
  }

  reserve(_length: number): number {
    return 0;
  }

  commit(length: number): void {
    this.#packets.push(this.bytes.slice(0, length));
  }

  /** The packets written since the last call, oldest first. */
  take(): Uint8Array[] {
    const packets = this.#packets;
    if (packets.length > 0) this.#packets = [];
    return packets;
  }
}
