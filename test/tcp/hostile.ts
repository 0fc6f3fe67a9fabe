import { viewOf } from './kernel-packets.ts';
import type { Random } from './random.ts';

/** `packet` as a bad line or a bad peer would have it: bits and bytes changed, cut short, or made longer. */
export function mutate(random: Random, packet: Uint8Array): Uint8Array {
  if (random.chance(0.05)) return random.bytes(random.below(100));
  const length = random.chance(0.6)
    ? packet.length
    : random.between(0, packet.length + random.below(30));
  const mutant = random.bytes(length);
  mutant.set(packet.subarray(0, length));
  if (length === 0) return mutant;
  for (let changes = random.below(5); changes > 0; changes--) {
    const at = random.below(Math.min(length, random.chance(0.7) ? 64 : length));
    mutant[at] = random.chance(0.5) ? mutant[at]! ^ (1 << random.below(8)) : random.below(256);
  }
  return mutant;
}

/**
 * Reads `bytes` twice: in a view that ends where they end, so that a read outside throws, and somewhere
 * among other bytes, which must make no difference.
 * @param read says all that it found as text, offsets relative to the one given
 * @returns what it said
 */
export function readInBounds(
  random: Random,
  bytes: Uint8Array,
  read: (view: DataView, offset: number, length: number) => string,
): string {
  const exact = read(viewOf(bytes.slice()), 0, bytes.length);
  const offset = random.below(40);
  const around = new Uint8Array(offset + bytes.length + 64).fill(random.below(256));
  around.set(bytes, offset);
  const amid = read(viewOf(around), offset, bytes.length);
  if (amid !== exact) throw new Error(`at ${offset}: ${amid}\nalone: ${exact}`);
  return exact;
}
