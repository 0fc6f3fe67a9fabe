import { BARE, type Ingress } from '../tcp/ingress.ts';
import { allocateResidentMemory } from './resident-memory.ts';
import { read } from './system-calls.ts';
import { VIRTIO_HEADER_LENGTH, VirtioHeader } from './virtio-header.ts';

/**
 * So much shares a turn at the most. The rest waits in the interface's queue, which is what tells a sender to slow down.
 */
const PACKETS_PER_TURN = 256;
const BYTES_PER_TURN = 1 << 20;

/** The total length of an IPv4 packet has 16 bits; so has that of IPv6 behind its header of 40 bytes. */
const LARGEST_PACKET = 65_535 + 40;
/** What stands before it on Ethernet, with a tag (IEEE 802.1Q), where there is no virtio header. */
const LARGEST_LINK_HEADER = 18;

/** Who takes packets. */
export interface Arrivals {
  /** One IP packet, at bytes[offset, offset + length), lent for the call only. */
  arrive(bytes: Uint8Array, offset: number, length: number, now: number, ingress: Ingress): void;
}

/** Takes packets from the TUN into the stack. */
export class PacketInput {
  readonly #descriptor: number;
  readonly #arrivals: Arrivals;
  readonly #memory = allocateResidentMemory(LARGEST_LINK_HEADER + LARGEST_PACKET);
  readonly #header: VirtioHeader | undefined;

  /** @param hasHeaders whether a `VirtioHeader` stands before each packet */
  constructor(descriptor: number, arrivals: Arrivals, hasHeaders: boolean) {
    this.#descriptor = descriptor;
    this.#arrivals = arrivals;
    this.#header = hasHeaders ? new VirtioHeader() : undefined;
  }

  /**
   * @param now milliseconds of the engine's clock
   * @returns whether there was anything to take
   */
  drain(now: number): boolean {
    const { bytes, view, address } = this.#memory;
    const header = this.#header;
    const start = header === undefined ? 0 : VIRTIO_HEADER_LENGTH;
    let taken = 0;
    for (let count = 0; count < PACKETS_PER_TURN && taken < BYTES_PER_TURN; count += 1) {
      const length = read(this.#descriptor, address, bytes.length);
      // EAGAIN: nothing is left. Any other failure (the interface went down) is as silent as a network that lost the packet.
      if (length <= start) break;
      header?.parse(view, 0);
      this.#arrivals.arrive(bytes, start, length - start, now, header ?? BARE);
      taken += length;
    }
    return taken > 0;
  }
}
