import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

const LENGTH = 0;
const CHECKSUM = 4;
const HEADER_CHECKSUM = 8;
const HEADER_LENGTH = 12;

/**
 * The sections that a snapshot's file begins with. Their headers are written when what follows them is on the disk: so one that is
 * not whole ends the file, but one that is, and does not agree with what follows, is damage.
 * @returns undefined when there is none, or one is damaged
 */
export function sectionsOf(bytes: Buffer): Buffer[] | undefined {
  const sections: Buffer[] = [];
  for (let at = 0; at + HEADER_LENGTH <= bytes.length; ) {
    if (
      crc32(bytes.subarray(at, at + HEADER_CHECKSUM)) !== bytes.readUInt32BE(at + HEADER_CHECKSUM)
    )
      break;
    const start = at + HEADER_LENGTH;
    const end = start + bytes.readUInt32BE(at + LENGTH);
    if (end > bytes.length) return undefined;
    const section = bytes.subarray(start, end);
    if (crc32(section) !== bytes.readUInt32BE(at + CHECKSUM)) return undefined;
    sections.push(section);
    at = end;
  }
  return sections.length === 0 ? undefined : sections;
}

/** Writes a section at the end of a file, piece by piece. */
export class SectionWriter {
  readonly #file: FileHandle;
  readonly #start: number;
  #checksum = 0;
  /** Where it ends so far, in the file. */
  end: number;

  /** @param start where in the file it begins, and nothing that counts follows */
  constructor(file: FileHandle, start: number) {
    this.#file = file;
    this.#start = start;
    this.end = start + HEADER_LENGTH;
  }

  /** @throws Error the disk's */
  async write(bytes: Buffer): Promise<void> {
    this.#checksum = crc32(bytes, this.#checksum);
    await writeAt(this.#file, bytes, this.end);
    this.end += bytes.length;
  }

  /**
   * Resolves when the section is on the disk and counts.
   * @throws Error the disk's: it may count or not
   */
  async finish(): Promise<void> {
    await this.#file.sync();
    const header = Buffer.alloc(HEADER_LENGTH);
    header.writeUInt32BE(this.end - this.#start - HEADER_LENGTH, LENGTH);
    header.writeUInt32BE(this.#checksum, CHECKSUM);
    header.writeUInt32BE(crc32(header.subarray(0, HEADER_CHECKSUM)), HEADER_CHECKSUM);
    await writeAt(this.#file, header, this.#start);
    await this.#file.sync();
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(
      bytes,
      written,
      bytes.length - written,
      position + written,
    );
    written += bytesWritten;
  }
}
