import type { Attempt, Call } from './attempt.ts';
import type { Connection } from './connection.ts';

/**
 * A file of text. What it says is frozen at the first read of each open, so a reader sees one answer however it cuts
 * its reads, and end of file behind it. What is written to it is one whole input, wherever the writer stood.
 *
 * `Subject` is what the file is about: a `Connection`, or `Commons`.
 */
export interface TextFile<Subject> {
  readonly name: string;
  readonly stream: false;
  /** The answer, without its last newline. */
  readonly read?: (subject: Subject, call: Call) => Attempt<string>;
  /** @param text the input, without its last `\n` or `\r\n` */
  readonly write?: (subject: Subject, text: string, call: Call) => Attempt<void>;
  /** Makes the connection whose `ctl` is opened in place of this file. */
  readonly clone?: (subject: Subject, call: Call) => Connection;
  /** poll(2) bits; without it the file is always ready. */
  readonly poll?: (subject: Subject) => number;
}

/** A file of bytes that come and go: no offsets, partial counts. */
export interface StreamFile<Subject> {
  readonly name: string;
  readonly stream: true;
  /** @returns how many bytes are in `target` now; 0 at the end */
  readonly read: (subject: Subject, target: Uint8Array, call: Call) => Attempt<number>;
  /** @returns how many bytes of `source` were taken */
  readonly write: (subject: Subject, source: Uint8Array, call: Call) => Attempt<number>;
  readonly poll: (subject: Subject) => number;
}

export type File<Subject> = TextFile<Subject> | StreamFile<Subject>;

/** The permission bits of a file: those of `mode` that mean something for what it can do. */
export function fileMode(file: File<never>, mode: number): number {
  if (!file.stream && file.clone !== undefined) return mode;
  return mode & ((file.read ? 0o444 : 0) | (file.write ? 0o222 : 0));
}
