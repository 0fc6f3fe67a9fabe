import koffi from 'koffi';

/** Where fuse-native 2.2.6 keeps libfuse's struct fuse_file_info in the memory of a thread (fuse_thread_locals_t in fuse-native.c). */
const INFO_POINTER = 48;

/** Fields of struct fuse_file_info in fuse_common.h of libfuse 2.9. */
const FLAGS = 0;
const BITS = 20;
const NONSEEKABLE = 1 << 3;

/**
 * What libfuse knows of the open file that a request is about, and fuse-native passes on in neither direction. Valid until
 * the request is answered.
 */
export class FileInfo {
  readonly #address: bigint;

  /** @param thread the memory of the thread that has made the request */
  constructor(thread: Uint8Array) {
    const view = new DataView(thread.buffer, thread.byteOffset, thread.byteLength);
    this.#address = view.getBigUint64(INFO_POINTER, true);
  }

  /** The flags of open(2), as they are now. */
  get flags(): number {
    return koffi.decode(this.#address, FLAGS, 'int') as number;
  }

  /** Has the kernel refuse to seek in the file; to be called before its OPEN is answered. */
  forbidSeeking(): void {
    const bits = koffi.decode(this.#address, BITS, 'uint') as number;
    koffi.encode(this.#address, BITS, 'uint', bits | NONSEEKABLE);
  }
}
