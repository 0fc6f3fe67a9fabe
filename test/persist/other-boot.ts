import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { TURN_FILE } from '../../persist/layout.ts';

const CLOSED = 13;
const BOOT_ID = 24;
const BOOT_ID_LENGTH = 16;

/** Makes the store's file turn one of another boot of the host. */
export function pretendOtherBoot(directory: string, closed: boolean): void {
  const path = join(directory, TURN_FILE);
  const bytes = readFileSync(path);
  bytes[CLOSED] = closed ? 1 : 0;
  bytes.fill(0xee, BOOT_ID, BOOT_ID + BOOT_ID_LENGTH);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  writeFileSync(path, bytes);
}
