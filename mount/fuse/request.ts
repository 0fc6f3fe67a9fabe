import { ErrnoError } from '../../tcp/errno.ts';
import { spareRing, takeRing } from '../../tcp/spare-rings.ts';
import { InSize, UNIQUE_RESEND } from './protocol.ts';
import { getU64 } from './u64.ts';

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

const TWO_TO_32 = 0x1_0000_0000;

/** Byte strings that are not UTF-8 are refused rather than mangled: a name must come back as it was given. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * One request as it lies in memory (struct fuse_in_header, then a structure of the opcode's own, then names or data). The objects are
 * used again; a request that has to wait gets memory of its own.
 */
export class Request {
  bytes: Uint8Array = EMPTY;
  view: DataView = EMPTY_VIEW;
  opcode = 0;
  /** The two halves of `unique`, exactly as received: the answer carries them back. */
  uniqueLow = 0;
  uniqueHigh = 0;
  /** `unique` without the bit that says "delivered again": one number for one request, however often it comes. */
  key = 0;
  node = 0;
  uid = 0;
  gid = 0;
  pid = 0;
  /** Where the opcode's own structure begins in `bytes`. */
  body = 0;
  /** Where the request ends in `bytes`, extensions left out. */
  end = 0;
  /** Someone waits for the answer no more. */
  interrupted = false;
  /** See `Call.note`. */
  note = 0;
  /** The connection that it is about, 0: none; from the moment it is served. */
  connection = 0;
  /** The connection it waits for; see `Parked`. */
  waitsOn = 0;
  /** Memory of its own, if it has some. */
  #kept: Uint8Array | undefined;

  /**
   * Makes this object stand for the request at `start`.
   * @returns false when there are too few bytes to tell whom to answer
   */
  parse(bytes: Uint8Array, view: DataView, start: number, length: number): boolean {
    if (length < InSize.header) return false;
    this.bytes = bytes;
    this.view = view;
    this.opcode = view.getUint32(start + 4, true);
    this.uniqueLow = view.getUint32(start + 8, true);
    this.uniqueHigh = view.getUint32(start + 12, true);
    this.key = (this.uniqueHigh & ~UNIQUE_RESEND) * TWO_TO_32 + this.uniqueLow;
    this.node = getU64(view, start + 16);
    this.uid = view.getUint32(start + 24, true);
    this.gid = view.getUint32(start + 28, true);
    this.pid = view.getUint32(start + 32, true);
    this.body = start + InSize.header;
    // total_extlen counts units of eight bytes; the extensions come last.
    const extensions = view.getUint16(start + 36, true) * 8;
    this.end = start + Math.min(length, view.getUint32(start, true)) - extensions;
    this.interrupted = false;
    this.note = 0;
    return true;
  }

  /** Whether an engine before this one read the request as well, and died before the kernel had its answer. */
  get resent(): boolean {
    return (this.uniqueHigh & UNIQUE_RESEND) !== 0;
  }

  /** Bytes after the header. */
  get bodyLength(): number {
    return this.end - this.body;
  }

  u32(offset: number): number {
    return this.view.getUint32(this.body + offset, true);
  }

  u64(offset: number): number {
    return getU64(this.view, this.body + offset);
  }

  /**
   * The name that begins at `offset` of the body and ends in a NUL.
   * @throws ErrnoError EINVAL when it is not ended or not UTF-8
   */
  name(offset: number): string {
    const start = this.body + offset;
    const nul = this.bytes.indexOf(0, start);
    if (nul < 0 || nul >= this.end) throw new ErrnoError('EINVAL');
    try {
      return utf8.decode(this.bytes.subarray(start, nul));
    } catch {
      throw new ErrnoError('EINVAL');
    }
  }

  /** Lets go of the memory. */
  forget(): void {
    this.bytes = EMPTY;
    this.view = EMPTY_VIEW;
    if (this.#kept !== undefined) spareRing(this.#kept);
    this.#kept = undefined;
  }

  /** Takes the request off memory that will be used again. */
  keep(): void {
    const start = this.body - InSize.header;
    const length = this.end - start;
    const kept = takeRing(2 ** (32 - Math.clz32(length - 1)));
    kept.set(this.bytes.subarray(start, this.end));
    this.#kept = kept;
    this.bytes = kept;
    this.view = new DataView(kept.buffer);
    this.body -= start;
    this.end -= start;
  }
}
