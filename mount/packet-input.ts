import type { Stack } from '../tcp/stack.ts';
import type { ResidentMemory } from './resident-memory.ts';
import { read } from './system-calls.ts';

/**
 * So many packets share a turn at the most. The rest waits in the interface's queue, which is what tells a sender to slow down.
 */
const PACKETS_PER_TURN = 256;

/** Takes packets from the TUN into the stack. */
export class PacketInput {
  readonly #descriptor: number;
  readonly #stack: Stack;
  readonly #memory: ResidentMemory;

  /**
   * @param memory room for one packet of the interface's MTU
   */
  constructor(descriptor: number, stack: Stack, memory: ResidentMemory) {
    this.#descriptor = descriptor;
    this.#stack = stack;
    this.#memory = memory;
  }

  /**
   * @param now milliseconds of the engine's clock
   */
  drain(now: number): void {
    const { bytes, address } = this.#memory;
    for (let count = 0; count < PACKETS_PER_TURN; count += 1) {
      const length = read(this.#descriptor, address, bytes.length);
      // EAGAIN: nothing is left. Any other failure (the interface went down) is as silent as a network that lost the packet.
      if (length <= 0) return;
      this.#stack.arrive(bytes, 0, length, now);
    }
  }
}
