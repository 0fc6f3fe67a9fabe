import type { Random } from '../sim/random.ts';

export const PAGE = 4096;
/** What a disk writes whole or not at all. */
const SECTOR = 512;

const ZEROS = Buffer.alloc(PAGE);

/** Something that was written, and when: events count up. */
interface Written<T> {
  readonly at: number;
  readonly value: T;
}

/**
 * What a disk may hold of one thing that was written again and again: what was synced last, or anything written since, for the
 * kernel writes back when it likes.
 */
class History<T> {
  #synced: T;
  #since: Written<T>[] = [];
  /** As processes see it. */
  newest: T;

  constructor(synced: T) {
    this.#synced = this.newest = synced;
  }

  write(at: number, value: T): void {
    this.newest = value;
    this.#since.push({ at, value });
  }

  /** Everything written before `at` has reached the disk. */
  sync(at: number): void {
    const later = this.#since.findIndex((written) => written.at >= at);
    const count = later < 0 ? this.#since.length : later;
    if (count > 0) this.#synced = this.#since[count - 1]!.value;
    this.#since.splice(0, count);
  }

  /**
   * What was written before `at` is no longer to be written, and may never have been: nobody but the next write will put it on the
   * disk (fs/ext4/page-io.c, ext4_finish_bio; mm/filemap.c, file_check_and_advance_wb_err).
   */
  forget(at: number): void {
    this.#since = this.#since.filter((written) => written.at >= at);
  }

  get isSynced(): boolean {
    return this.#since.length === 0;
  }

  /** One of the values that the disk may hold. */
  choose(choice: Choice, random: Random): T {
    const since = this.#since;
    const values = [this.#synced, ...since.map(({ value }) => value)];
    switch (choice.take) {
      case 'synced':
        return this.#synced;
      case 'newest':
        return values.at(-1)!;
      case 'any':
        return random.pick(values);
      case 'until':
        return since.findLast(({ at }) => at < choice.at)?.value ?? this.#synced;
      case 'since': {
        const last = since.at(-1);
        return last !== undefined && last.at >= choice.at ? last.value : this.#synced;
      }
    }
  }
}

/** Which of the values that it may hold a disk does hold. */
export type Choice =
  | { readonly take: 'synced' | 'newest' | 'any' }
  /** As if written in order, up to an event; or only what was written late. */
  | { readonly take: 'until' | 'since'; readonly at: number };

/** A file as a page cache and a disk have it. */
export class ModelFile {
  readonly #pages = new Map<number, History<Buffer>>();
  readonly #length: History<number>;
  readonly #unsynced = new Set<number>();

  /** @param bytes what is on the disk */
  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#length = new History(bytes.length);
    for (let at = 0; at < bytes.length; at += PAGE) {
      const page = Buffer.alloc(PAGE);
      bytes.copy(page, 0, at, at + PAGE);
      this.#pages.set(at / PAGE, new History(page));
    }
  }

  write(at: number, offset: number, bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const number = Math.floor((offset + from) / PAGE);
      const start = (offset + from) % PAGE;
      const count = Math.min(PAGE - start, bytes.length - from);
      const page = Buffer.from(this.#page(number).newest);
      bytes.copy(page, start, from, from + count);
      this.#write(at, number, page);
      from += count;
    }
    if (offset + bytes.length > this.#length.newest) this.#length.write(at, offset + bytes.length);
  }

  truncate(at: number, length: number): void {
    for (const [number, page] of this.#pages) {
      const kept = Math.max(0, Math.min(PAGE, length - number * PAGE));
      if (kept === PAGE || page.newest === ZEROS) continue;
      this.#write(at, number, Buffer.concat([page.newest.subarray(0, kept)], PAGE));
    }
    this.#length.write(at, length);
  }

  /** Everything written before `at` has reached the disk. */
  sync(at: number): void {
    this.#length.sync(at);
    for (const number of this.#unsynced) {
      const page = this.#page(number);
      page.sync(at);
      if (page.isSynced) this.#unsynced.delete(number);
    }
  }

  /** The disk has failed to take some of what was written before `at`, and will not be given it again. */
  failToSync(at: number, random: Random): void {
    for (const number of this.#unsynced) {
      const page = this.#page(number);
      if (random.chance(0.5)) page.sync(at);
      else page.forget(at);
      if (page.isSynced) this.#unsynced.delete(number);
    }
    this.#length.sync(at);
  }

  /** What processes read. */
  get text(): string {
    return this.#bytes(this.#length.newest, (page) => page.newest).toString();
  }

  /**
   * What may be on the disk after a power cut.
   * @param choose for each page
   * @param tears whether pages may be made of sectors of two times
   */
  left(choose: (page: number) => Choice, length: Choice, tears: boolean, random: Random): Buffer {
    return this.#bytes(this.#length.choose(length, random), (page, number) => {
      const one = page.choose(choose(number), random);
      if (!tears || page.isSynced || random.chance(0.5)) return one;
      const other = page.choose({ take: 'any' }, random);
      const torn = Buffer.from(one);
      for (let at = 0; at < PAGE; at += SECTOR)
        if (random.chance(0.5)) other.copy(torn, at, at, at + SECTOR);
      return torn;
    });
  }

  #bytes(length: number, of: (page: History<Buffer>, number: number) => Buffer): Buffer {
    const bytes = Buffer.alloc(length);
    for (const [number, page] of this.#pages)
      if (number * PAGE < length) of(page, number).copy(bytes, number * PAGE);
    return bytes;
  }

  #write(at: number, number: number, page: Buffer): void {
    this.#page(number).write(at, page);
    this.#unsynced.add(number);
  }

  #page(number: number): History<Buffer> {
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new History(ZEROS);
      this.#pages.set(number, page);
    }
    return page;
  }
}
