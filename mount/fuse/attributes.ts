import type { Attributes } from '../../fs/attributes.ts';
import type { Validity } from '../../fs/validity.ts';
import { OutSize } from './protocol.ts';
import { setU64 } from './u64.ts';

const BLOCK = 512;

/** st_blksize: what programs take as a good size for one read. */
const PREFERRED_SIZE = 65536;

/** Writes a struct fuse_attr. */
export function writeAttributes(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  attributes: Attributes,
): void {
  bytes.fill(0, offset, offset + OutSize.attributes);
  const seconds = Math.floor(attributes.time / 1000);
  const nanoseconds = Math.floor((attributes.time - seconds * 1000) * 1e6);
  setU64(view, offset, attributes.node);
  setU64(view, offset + 8, attributes.size);
  setU64(view, offset + 16, Math.ceil(attributes.size / BLOCK));
  setU64(view, offset + 24, seconds);
  setU64(view, offset + 32, seconds);
  setU64(view, offset + 40, seconds);
  view.setUint32(offset + 48, nanoseconds, true);
  view.setUint32(offset + 52, nanoseconds, true);
  view.setUint32(offset + 56, nanoseconds, true);
  view.setUint32(offset + 60, attributes.mode, true);
  view.setUint32(offset + 64, attributes.links, true);
  view.setUint32(offset + 68, attributes.uid, true);
  view.setUint32(offset + 72, attributes.gid, true);
  view.setUint32(offset + 80, PREFERRED_SIZE, true);
}

/** Writes a struct fuse_attr_out. */
export function writeAttrOut(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  attributes: Attributes,
  validity: Validity,
): number {
  setSeconds(view, offset, offset + 8, validity.attributes);
  view.setUint32(offset + 12, 0, true);
  writeAttributes(bytes, view, offset + 16, attributes);
  return OutSize.attr;
}

/** Writes a struct fuse_entry_out. The generation is 0: a node id is never used again. */
export function writeEntryOut(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  attributes: Attributes,
  validity: Validity,
): number {
  setU64(view, offset, attributes.node);
  setU64(view, offset + 8, 0);
  setSeconds(view, offset + 16, offset + 32, validity.name);
  setSeconds(view, offset + 24, offset + 36, validity.attributes);
  writeAttributes(bytes, view, offset + 40, attributes);
  return OutSize.entry;
}

/** @param nanosecondsAt where what is less than a second goes */
function setSeconds(
  view: DataView,
  secondsAt: number,
  nanosecondsAt: number,
  milliseconds: number,
): void {
  setU64(view, secondsAt, Math.floor(milliseconds / 1000));
  view.setUint32(nanosecondsAt, (milliseconds % 1000) * 1e6, true);
}
