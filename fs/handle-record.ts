import { RecordError } from '../tcp/record-error.ts';

/** An open file. */
export interface Handle {
  /** Which file, as in its node's number. */
  readonly kind: number;
  /** The connection's id, 0 for a file that belongs to none. */
  readonly connection: number;
  /** The flags of open(2). */
  readonly flags: number;
  /** What a text file says to this open file, from its first read on. */
  content: Uint8Array | undefined;
}

/** u8 kind, u8 whether there is content, u32 flags, u64 connection, and the content. Little-endian. */
const HEAD = 14;

export function encodeHandle(handle: Handle): Uint8Array {
  const { content } = handle;
  const bytes = new Uint8Array(HEAD + (content?.length ?? 0));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, handle.kind);
  view.setUint8(1, content === undefined ? 0 : 1);
  view.setUint32(2, handle.flags, true);
  view.setBigUint64(6, BigInt(handle.connection), true);
  if (content !== undefined) bytes.set(content, HEAD);
  return bytes;
}

/** @throws RecordError when the bytes are none that `encodeHandle` writes */
export function decodeHandle(bytes: Uint8Array): Handle {
  if (bytes.length < HEAD) throw new RecordError('a handle record is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const hasContent = view.getUint8(1);
  const connection = Number(view.getBigUint64(6, true));
  if (hasContent > 1 || !Number.isSafeInteger(connection)) {
    throw new RecordError('a handle record has a field out of range');
  }
  if (hasContent === 0 && bytes.length > HEAD) throw new RecordError('a handle record is too long');
  return {
    kind: view.getUint8(0),
    connection,
    flags: view.getUint32(2, true),
    content: hasContent === 1 ? bytes.slice(HEAD) : undefined,
  };
}
