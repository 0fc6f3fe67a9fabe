import { readFileSync } from 'node:fs';

/** What disk.c has noted, in the order it was done. A file is an inode number. */
export type DiskEvent =
  | {
      readonly kind: 'write';
      readonly file: number;
      readonly offset: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: 'truncate'; readonly file: number; readonly length: number }
  | { readonly kind: 'open'; readonly file: number; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink' | 'mkdir'; readonly path: string }
  | { readonly kind: 'sync begins'; readonly file: number; readonly sync: bigint }
  | {
      readonly kind: 'sync ends';
      readonly file: number;
      readonly sync: bigint;
      readonly failed: boolean;
    };

const HEADER_LENGTH = 32;
const FAILED = 1n << 63n;

/** `struct record` of disk.c, one after the other. */
export function readDiskLog(path: string): DiskEvent[] {
  const log = readFileSync(path);
  const events: DiskEvent[] = [];
  for (let at = 0; at < log.length; ) {
    const [kind, file, number, length] = [0, 8, 16, 24].map((field) =>
      log.readBigUInt64LE(at + field),
    );
    const end = at + HEADER_LENGTH + Number(length);
    events.push(
      eventOf(Number(kind), Number(file), number!, log.subarray(at + HEADER_LENGTH, end)),
    );
    at = end;
  }
  return events;
}

function eventOf(kind: number, file: number, number: bigint, bytes: Buffer): DiskEvent {
  switch (kind) {
    case 1:
      return { kind: 'write', file, offset: Number(number), bytes };
    case 2:
      return { kind: 'truncate', file, length: Number(number) };
    case 3:
      return { kind: 'open', file, path: `${bytes}` };
    case 4: {
      const end = Number(number);
      return { kind: 'rename', from: `${bytes.subarray(0, end)}`, to: `${bytes.subarray(end)}` };
    }
    case 5:
      return { kind: 'unlink', path: `${bytes}` };
    case 6:
      return { kind: 'mkdir', path: `${bytes}` };
    case 7:
      return { kind: 'sync begins', file, sync: number };
    case 8: {
      const failed = (number & FAILED) !== 0n;
      return { kind: 'sync ends', file, sync: number & ~FAILED, failed };
    }
    default:
      throw new Error(`the log has an event of kind ${kind}`);
  }
}
