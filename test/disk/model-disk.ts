import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Random } from '../sim/random.ts';
import type { DiskEvent } from './disk-log.ts';
import { type Choice, ModelFile } from './model-file.ts';

type Names = Map<string, ModelFile | 'directory'>;

/** A change of a directory. */
interface NameChange {
  readonly directory: string;
  readonly at: number;
  readonly apply: (names: Names) => void;
}

/** How a power cut may choose among what was not synced. */
export const CUTS = [
  'nothing more',
  'everything',
  'any pages',
  'torn pages',
  'metas first',
  'metas last',
  'one meta',
  'in order',
  'the latest',
] as const;

export type Cut = (typeof CUTS)[number];

/**
 * A directory as the page cache and the disk have it. The strictest reading of POSIX: a sync is of one file, and a name is on the
 * disk when its directory was synced; but the changes of one directory reach the disk in their order, as in every file
 * system with a journal.
 */
export class ModelDisk {
  readonly #directory: string;
  readonly #random: Random;
  /** What is known to be on the disk. */
  readonly #syncedNames: Names = new Map();
  readonly #names: Names;
  /** Those that are not. */
  #changes: NameChange[] = [];
  readonly #files = new Map<number, ModelFile>();
  readonly #directories = new Map<number, string>();
  readonly #syncs = new Map<bigint, number>();
  #at = 0;

  /** As it is now, all of it on the disk. */
  constructor(directory: string, random: Random) {
    this.#directory = directory;
    this.#random = random;
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      const path = join(directory, name);
      const isDirectory = statSync(path).isDirectory();
      this.#syncedNames.set(path, isDirectory ? 'directory' : new ModelFile(readFileSync(path)));
    }
    this.#names = new Map(this.#syncedNames);
  }

  apply(event: DiskEvent): void {
    this.#at += 1;
    const at = this.#at;
    switch (event.kind) {
      case 'write':
        this.#files.get(event.file)?.write(at, event.offset, event.bytes);
        break;
      case 'truncate':
        this.#files.get(event.file)?.truncate(at, event.length);
        break;
      case 'open':
        this.#open(event.path, event.file);
        break;
      case 'rename': {
        const { from, to } = event;
        this.#change(to, (names) => {
          names.set(to, names.get(from)!);
          names.delete(from);
        });
        break;
      }
      case 'unlink':
        this.#change(event.path, (names) => names.delete(event.path));
        break;
      case 'mkdir':
        this.#change(event.path, (names) => names.set(event.path, 'directory'));
        break;
      case 'sync begins':
        this.#syncs.set(event.sync, at);
        break;
      case 'sync ends':
        this.#sync(event.file, this.#syncs.get(event.sync)!, event.failed);
        break;
    }
  }

  /** What processes read in a file. */
  text(path: string): string {
    const file = this.#names.get(path);
    return file instanceof ModelFile ? file.text : '';
  }

  /** Whether a power cut cannot take away that there is such a file. */
  isSynced(path: string): boolean {
    return this.#syncedNames.has(path);
  }

  /** What a power cut may leave, written to another directory. */
  cut(into: string, cut: Cut, mainFile: string): void {
    const random = this.#random;
    const choose = this.#chooser(cut, mainFile);
    for (const [path, file] of this.#namesLeft(cut)) {
      const target = join(into, relative(this.#directory, path));
      if (file === 'directory') mkdirSync(target, { recursive: true });
      else
        writeFileSync(
          target,
          file.left((page) => choose(path, page), choose(path, -1), cut === 'torn pages', random),
        );
    }
  }

  #chooser(cut: Cut, mainFile: string): (path: string, page: number) => Choice {
    const random = this.#random;
    const at = random.below(this.#at + 1);
    const meta = random.below(2);
    const isMeta = (path: string, page: number) =>
      basename(path) === mainFile && page >= 0 && page < 2;
    const others: Choice = { take: random.pick(['synced', 'any', 'newest'] as const) };
    switch (cut) {
      case 'nothing more':
        return () => ({ take: 'synced' });
      case 'everything':
        return () => ({ take: 'newest' });
      case 'any pages':
      case 'torn pages':
        return () => ({ take: 'any' });
      case 'metas first':
        return (path, page) => (isMeta(path, page) ? { take: 'newest' } : { take: 'synced' });
      case 'metas last':
        return (path, page) => (isMeta(path, page) ? { take: 'synced' } : { take: 'newest' });
      case 'one meta':
        return (path, page) =>
          isMeta(path, page) ? { take: page === meta ? 'newest' : 'synced' } : others;
      case 'in order':
        return () => ({ take: 'until', at });
      case 'the latest':
        return () => ({ take: 'since', at });
    }
  }

  /** Of each directory, its changes up to some moment. */
  #namesLeft(cut: Cut): Names {
    const names: Names = new Map(this.#syncedNames);
    const ends = new Map<string, number>();
    for (const { directory, at, apply } of this.#changes) {
      if (!ends.has(directory)) ends.set(directory, this.#lastChange(cut));
      // A directory that never came to be holds nothing.
      if (at <= ends.get(directory)! && this.#isThere(names, directory)) apply(names);
    }
    return names;
  }

  #lastChange(cut: Cut): number {
    if (cut === 'nothing more') return 0;
    return cut === 'everything' ? this.#at : this.#random.below(this.#at + 1);
  }

  #isThere(names: Names, directory: string): boolean {
    return directory === this.#directory || names.has(directory);
  }

  #open(path: string, number: number): void {
    let file = this.#names.get(path);
    if (path === this.#directory || file === 'directory') {
      this.#directories.set(number, path);
      return;
    }
    if (file === undefined) {
      file = new ModelFile();
      const created = file;
      this.#change(path, (names) => names.set(path, created));
    }
    this.#files.set(number, file);
  }

  #change(path: string, apply: (names: Names) => void): void {
    apply(this.#names);
    this.#changes.push({ directory: dirname(path), at: this.#at, apply });
  }

  #sync(number: number, at: number, failed: boolean): void {
    const directory = this.#directories.get(number);
    if (directory === undefined) {
      const file = this.#files.get(number);
      if (failed) file?.failToSync(at, this.#random);
      else file?.sync(at);
    } else if (!failed) {
      const isSynced = (change: NameChange) => change.directory === directory && change.at < at;
      for (const change of this.#changes) if (isSynced(change)) change.apply(this.#syncedNames);
      this.#changes = this.#changes.filter((change) => !isSynced(change));
    }
  }
}
