import { Random } from './random.ts';

const TABLE_LENGTH = 4 << 20;
/** The longest text, bytes. */
export const MAX_TEXT = TABLE_LENGTH / 2;

let table: Buffer | undefined;

/** Bytes in which no two places look alike, so that a byte at the wrong offset is hardly ever right by chance. */
function theTable(): Buffer {
  if (table === undefined) {
    const random = new Random(0n);
    const words = Uint32Array.from({ length: TABLE_LENGTH / 4 }, () => random.u32());
    table = Buffer.from(words.buffer);
  }
  return table;
}

/** What one end of a connection says, known at every offset without being kept. */
export class Text {
  readonly length: number;
  readonly #start: number;

  constructor(random: Random, length: number) {
    this.length = length;
    this.#start = random.below(TABLE_LENGTH - MAX_TEXT);
  }

  /** Its bytes [offset, offset + length), not to be changed. */
  bytes(offset: number, length: number): Uint8Array {
    const from = this.#start + offset;
    return theTable().subarray(from, from + length);
  }

  /** Whether bytes[from, to) is what it says at `offset`. */
  says(offset: number, bytes: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (offset < 0 || offset + length > this.length) return false;
    const at = this.#start + offset;
    return theTable().compare(bytes, from, to, at, at + length) === 0;
  }
}
