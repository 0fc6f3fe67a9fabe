import { open, type RootDatabase, type Transaction } from 'lmdb';

/** What it sees stays as it is: its pages are not used again until `done`. */
export type ReadTransaction = Transaction;

/** What of lmdb-js is used, some of which its types leave out. */
export type Lmdb = RootDatabase<Uint8Array, Uint8Array> & {
  useReadTransaction(): ReadTransaction;
  readonly env: { sync(callback?: (error: Error | null | undefined) => void): void };
};

/** Address space for the data file, in bytes, if nobody says otherwise: no disk, and no limit, for lmdb-js makes it larger. */
export const MAP_SIZE = 16 * 2 ** 30;

/**
 * Opens the environment in `directory`. Nothing is synced unless `syncToDisk` is called, and the options that would let
 * lmdb-js do otherwise are all off: with `overlappingSync` a kill followed by a power cut corrupts.
 * @param mapSize address space for the data file, in bytes
 */
export function openLmdb(directory: string, mapSize: number, readOnly = false): Lmdb {
  return open<Uint8Array, Uint8Array>({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    noSync: true,
    overlappingSync: false,
    noMemInit: true,
    mapSize,
    readOnly,
  }) as Lmdb;
}

/** Resolves when everything committed before the call has reached the disk. */
export function syncToDisk(lmdb: Lmdb): Promise<void> {
  return new Promise((resolve, reject) => {
    lmdb.env.sync((error) => (error ? reject(error) : resolve()));
  });
}
