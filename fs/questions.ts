import { ErrnoError } from '../tcp/errno.ts';

/** What has been written of a question so far. */
interface Part {
  bytes: Uint8Array;
  length: number;
}

/**
 * Questions that take more than one write, by open file. They are in no record: an engine that dies takes them with it, and what is written
 * then is no beginning of one.
 */
export class Questions {
  readonly #parts = new Map<number, Part>();

  /**
   * More of a question has been written.
   * @param lengthOf how many bytes all of it has, by its beginning; undefined: that is too little to say
   * @returns the question, once it is complete
   * @throws ErrnoError EINVAL when there is more than that; and what `lengthOf` throws
   */
  add(
    handle: number,
    source: Uint8Array,
    lengthOf: (beginning: Uint8Array) => number | undefined,
  ): Uint8Array | undefined {
    const before = this.#parts.get(handle) ?? { bytes: source.subarray(0, 0), length: 0 };
    this.#parts.delete(handle);
    const length = before.length + source.length;
    const isKnown = before.length < before.bytes.length;
    const whole = isKnown ? before.bytes.length : lengthOf(joined(before, source));
    if (whole !== undefined && length > whole) throw new ErrnoError('EINVAL', 'there is too much');
    const bytes = isKnown ? before.bytes : resized(before, whole ?? length);
    bytes.set(source, before.length);
    if (length === whole) return bytes;
    this.#parts.set(handle, { bytes, length });
    return undefined;
  }

  /** The open file is closed. */
  forget(handle: number): void {
    this.#parts.delete(handle);
  }
}

function joined({ bytes, length }: Part, source: Uint8Array): Uint8Array {
  return length === 0 ? source : Buffer.concat([bytes.subarray(0, length), source]);
}

function resized({ bytes, length }: Part, size: number): Uint8Array {
  const larger = new Uint8Array(size);
  larger.set(bytes.subarray(0, length));
  return larger;
}
