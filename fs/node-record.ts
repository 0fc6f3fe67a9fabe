import { RecordError } from '../tcp/record-error.ts';

/** What the tree knows of a connection beside what TCP knows. */
export interface Node {
  readonly name: string;
  uid: number;
  gid: number;
  /** Permission bits of its files; those of its directory follow from them. */
  mode: number;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Whether a reader or writer of `data` has been told the error that ended the connection. */
  errorTold: boolean;
  /** Whether the last close of an open file closes the connection, as in Plan 9. */
  autoclose: boolean;
}

/** The bits of its flags. */
const ERROR_TOLD = 1;
const AUTOCLOSE = 2;
const ALL_FLAGS = ERROR_TOLD | AUTOCLOSE;

/** u32 uid, u32 gid, u16 mode, u8 flags, u64 created, and the name in UTF-8. Little-endian. */
const HEAD = 19;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeNode(node: Node): Uint8Array {
  const name = encoder.encode(node.name);
  const bytes = new Uint8Array(HEAD + name.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, node.uid, true);
  view.setUint32(4, node.gid, true);
  view.setUint16(8, node.mode, true);
  view.setUint8(10, (node.errorTold ? ERROR_TOLD : 0) | (node.autoclose ? AUTOCLOSE : 0));
  view.setUint32(11, node.created >>> 0, true);
  view.setUint32(15, Math.floor(node.created / 2 ** 32), true);
  bytes.set(name, HEAD);
  return bytes;
}

/** @throws RecordError when the bytes are none that `encodeNode` writes */
export function decodeNode(bytes: Uint8Array): Node {
  if (bytes.length <= HEAD) throw new RecordError('a node record is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const mode = view.getUint16(8, true);
  const flags = view.getUint8(10);
  const created = view.getUint32(15, true) * 2 ** 32 + view.getUint32(11, true);
  if (mode > 0o777 || flags > ALL_FLAGS || !Number.isSafeInteger(created)) {
    throw new RecordError('a node record has a field out of range');
  }
  return {
    name: decodeName(bytes.subarray(HEAD)),
    uid: view.getUint32(0, true),
    gid: view.getUint32(4, true),
    mode,
    created,
    errorTold: (flags & ERROR_TOLD) !== 0,
    autoclose: (flags & AUTOCLOSE) !== 0,
  };
}

function decodeName(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new RecordError('a node record has a name that is not UTF-8');
  }
}
