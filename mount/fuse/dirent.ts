import { OutSize } from './protocol.ts';
import { setU64 } from './u64.ts';

const encoder = new TextEncoder();

/** The longest name, NAME_MAX of linux/limits.h. */
const NAME_MAX = 255;

/** UTF-8 has at most three bytes for each unit of a JavaScript string. */
const encoded = new Uint8Array(NAME_MAX * 3);

/** S_IFMT is the upper four bits of sixteen; the type of a directory entry is those alone (DT_DIR and so on, dirent.h). */
const TYPE_SHIFT = 12;

/** One name in a directory, as the kernel wants it (struct fuse_dirent). */
export interface Dirent {
  readonly name: string;
  readonly node: number;
  /** S_IF bits. */
  readonly type: number;
  /** Where reading goes on after this entry. */
  readonly cookie: number;
}

/**
 * Writes a struct fuse_dirent and its name.
 * @param end where the room ends
 * @returns bytes written, padding included; 0 when it does not fit
 */
export function writeDirent(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  end: number,
  entry: Dirent,
): number {
  const { written } = encoder.encodeInto(entry.name, encoded);
  const size = Math.ceil((OutSize.dirent + written) / 8) * 8;
  if (offset + size > end) return 0;
  setU64(view, offset, entry.node);
  setU64(view, offset + 8, entry.cookie);
  view.setUint32(offset + 16, written, true);
  view.setUint32(offset + 20, (entry.type >>> TYPE_SHIFT) & 0xf, true);
  bytes.set(encoded.subarray(0, written), offset + OutSize.dirent);
  bytes.fill(0, offset + OutSize.dirent + written, offset + size);
  return size;
}
