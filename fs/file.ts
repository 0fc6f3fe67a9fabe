import type { Attempt, Call } from './attempt.ts';
import type { AnyConnection, Connection } from './connection.ts';

/**
 * Tells one time that poll(2) says "ready" from another, for programs that want to be told once of each (EPOLLET of epoll(7)). Only
 * whether the numbers are still the same means something.
 */
export interface News {
  /** Changes whenever something has come that makes the file readable. */
  readonly arrivals: number;
  /** Changes whenever a program was told that the file cannot be written. */
  readonly refusals: number;
}

/**
 * A file of text. What it says is frozen at the first read of each open, so a reader sees one answer however it cuts
 * its reads, and end of file behind it. What is written to it is one whole input, wherever the writer stood.
 *
 * `Subject` is what the file is about: a `Connection`, or `Commons`.
 */
export interface TextFile<Subject> {
  readonly name: string;
  readonly stream: false;
  readonly ask?: undefined;
  readonly readAt?: undefined;
  /** The answer without its last newline, or as lines, of which there may be none. */
  readonly read?: (subject: Subject, call: Call) => Attempt<string | readonly string[]>;
  /** @param text the input, without its last `\n` or `\r\n` */
  readonly write?: (subject: Subject, text: string, call: Call) => Attempt<void>;
  /**
   * What `read` would say now, if programs may wait for another answer: poll(2) says when there is one, as for an attribute of
   * sysfs, and a read from the beginning gives it.
   */
  readonly current?: (subject: Subject) => string;
  /** Makes the connection whose `ctl` is opened in place of this file. */
  readonly clone?: (subject: Subject, call: Call) => AnyConnection;
  /** What an open file that `clone` has made says first, in place of what its `ctl` says. */
  readonly announcement?: (made: AnyConnection) => string;
  /** poll(2) bits; without it the file is always ready. */
  readonly poll?: (subject: Subject) => number;
  /** Without it, whatever happens to the connection is news. */
  readonly news?: (subject: Subject) => News;
}

/** A file of bytes that come and go: no offsets, partial counts. */
export interface StreamFile<Subject> {
  readonly name: string;
  readonly stream: true;
  readonly ask?: undefined;
  readonly readAt?: undefined;
  /** @returns how many bytes are in `target` now; 0 at the end */
  readonly read: (subject: Subject, target: Uint8Array, call: Call) => Attempt<number>;
  /** @returns how many bytes of `source` were taken */
  readonly write: (subject: Subject, source: Uint8Array, call: Call) => Attempt<number>;
  readonly poll: (subject: Subject) => number;
  /** Without it, whatever happens to the connection is news. */
  readonly news?: (subject: Subject) => News;
  /** Waits for the connection whose `data` is opened in place of this file, and which closes with its last open file. */
  readonly accept?: (subject: Subject) => Attempt<Connection>;
}

/** A file of bytes at offsets, which are at each read what they are by then. */
export interface BytesFile<Subject> {
  readonly name: string;
  readonly stream: false;
  readonly ask?: undefined;
  readonly clone?: undefined;
  readonly read?: undefined;
  readonly write?: undefined;
  /** @returns how many bytes from `offset` are in `target` now; 0 at the end */
  readonly readAt: (
    subject: Subject,
    offset: number,
    target: Uint8Array,
    call: Call,
  ) => Attempt<number>;
  /** Its size in bytes, and when it changed, in milliseconds since the epoch; without it, as for a file of text. */
  readonly extent?: (subject: Subject) => { readonly size: number; readonly time: number };
  /** poll(2) bits; without it the file is always ready. */
  readonly poll?: (subject: Subject) => number;
  /** Without it, whatever happens to the connection is news. */
  readonly news?: (subject: Subject) => News;
}

/**
 * A file of questions. What is written to an open file is one; what can be read from it then is the answer, once and without
 * offsets, as lines. If there is none, the write fails, and the answer is why.
 */
export interface QuestionFile<Subject> {
  readonly name: string;
  readonly stream: true;
  readonly accept?: undefined;
  readonly clone?: undefined;
  readonly read?: undefined;
  readonly readAt?: undefined;
  readonly write?: undefined;
  readonly poll?: undefined;
  readonly news?: undefined;
  /**
   * How many bytes a question has that begins so; undefined: that is too little to say. Without it each write is one question.
   * @throws ErrnoError when no question begins so, or who asks may not
   */
  readonly lengthOf?: (subject: Subject, beginning: Uint8Array, call: Call) => number | undefined;
  readonly ask: (subject: Subject, question: Uint8Array, call: Call) => Attempt<readonly string[]>;
}

export type File<Subject> =
  | TextFile<Subject>
  | StreamFile<Subject>
  | BytesFile<Subject>
  | QuestionFile<Subject>;

/** Files by their kinds: see files.ts. */
export type FileTable<Subject> = ReadonlyMap<number, File<Subject>>;

/** The permission bits of a file: those of `mode` that mean something for what it can do. */
export function fileMode(file: File<never>, mode: number): number {
  if (!file.stream && file.clone !== undefined) return mode;
  return mode & ((isReadable(file) ? 0o444 : 0) | (isWritable(file) ? 0o222 : 0));
}

export function isReadable(file: File<never>): boolean {
  return file.read !== undefined || file.readAt !== undefined || file.ask !== undefined;
}

export function isWritable(file: File<never>): boolean {
  return file.write !== undefined || file.ask !== undefined;
}
