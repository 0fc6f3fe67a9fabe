import koffi from 'koffi';
import { mapPopulated, mlock, SystemCallError } from './system-calls.ts';

/** Memory outside the garbage collector's reach that stays where it is and stays in RAM. */
export interface ResidentMemory {
  readonly bytes: Uint8Array;
  /** Over the same memory as `bytes`, from its first byte. */
  readonly view: DataView;
  /** The address of its first byte, for system calls. */
  readonly address: number;
}

/** Whole pages are what the kernel maps and locks. */
const PAGE = 4096;

/**
 * Allocates memory for good; it is never freed. Every buffer that meets /dev/fuse is of this kind: when an engine is
 * killed while the kernel copies a request, and the copy faults on a page that is not there, the kernel ends the
 * request with EIO (fs/fuse/dev.c, fuse_dev_do_read) and no redelivery brings it back.
 * @param length bytes at the least
 * @throws SystemCallError when there is no memory
 */
export function allocateResidentMemory(length: number): ResidentMemory {
  const size = Math.ceil(length / PAGE) * PAGE;
  const address = mapPopulated(size);
  try {
    mlock(address, size);
  } catch (error) {
    // RLIMIT_MEMLOCK. The pages are there since mmap populated them; only memory pressure could still take them.
    if (!(error instanceof SystemCallError)) throw error;
  }
  const memory = koffi.view(BigInt(address), size);
  const bytes = new Uint8Array(memory);
  // MAP_POPULATE fails silently; a write makes sure of each page.
  for (let offset = 0; offset < size; offset += PAGE) bytes[offset] = 0;
  return { bytes, view: new DataView(memory), address };
}
