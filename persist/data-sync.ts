import { checkRecord } from './check-record.ts';
import { writePagesAgain } from './data-file.ts';
import { type Lmdb, syncToDisk } from './lmdb.ts';

/**
 * Brings data.mdb to the disk, and does not believe a disk that has failed once. When a sync fails, Linux takes the pages for
 * written that are not: they stay in the page cache as they are, nobody writes them again, and the next sync succeeds without
 * them (mm/filemap.c, file_check_and_advance_wb_err; A. Rebello and others, _Can Applications Recover from fsync Failures?_,
 * 2020). So after a failure all that was written since the last success is written once more, before a sync counts.
 *
 * An engine that dies while it syncs leaves nobody who knows how that ended, so the doubt is noted before each sync.
 */
export class DataSync {
  readonly #path: string;
  readonly #lmdb: Lmdb;
  readonly #note: (isDoubtful: boolean) => void;
  readonly #syncedTransaction: () => number;
  #isDoubtful: boolean;

  /**
   * @param isDoubtful whether a sync has begun in this boot of the host, by an engine before this one, and none succeeded since
   * @param note called when that changes, to be remembered as long as the page cache
   * @param syncedTransaction LMDB's newest of which is known that a sync after it has succeeded; 0: none
   */
  constructor(
    path: string,
    lmdb: Lmdb,
    isDoubtful: boolean,
    note: (isDoubtful: boolean) => void,
    syncedTransaction: () => number,
  ) {
    this.#path = path;
    this.#lmdb = lmdb;
    this.#isDoubtful = isDoubtful;
    this.#note = note;
    this.#syncedTransaction = syncedTransaction;
  }

  /**
   * Returns when everything committed has reached the disk.
   * @throws Error it has not
   * @throws DataFileDamage it never will: the page cache has lost it too
   */
  now(): void {
    this.#begin();
    this.#lmdb.env.sync();
    this.#end();
  }

  /** The same for everything committed before the call; commits go on meanwhile. */
  async later(): Promise<void> {
    this.#begin();
    await syncToDisk(this.#lmdb);
    this.#end();
  }

  #begin(): void {
    // A page that was taken for written may have left the page cache since: then what is read there now is an older one.
    if (this.#isDoubtful) writePagesAgain(this.#path, this.#syncedTransaction(), checkRecord);
    this.#isDoubtful = true;
    this.#note(true);
  }

  #end(): void {
    this.#isDoubtful = false;
    this.#note(false);
  }
}
