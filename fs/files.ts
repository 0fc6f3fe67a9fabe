import type { Commons } from './commons.ts';
import type { Connection } from './connection.ts';
import type { File } from './file.ts';
import { accept } from './files/accept.ts';
import { bind } from './files/bind.ts';
import { clone } from './files/clone.ts';
import { connect } from './files/connect.ts';
import { ctl } from './files/ctl.ts';
import { data } from './files/data.ts';
import { engineStatus } from './files/engine-status.ts';
import { error } from './files/error.ts';
import { listen } from './files/listen.ts';
import { local } from './files/local.ts';
import { remote } from './files/remote.ts';
import { state } from './files/state.ts';
import { status } from './files/status.ts';

export type FileTable<Subject> = ReadonlyMap<number, File<Subject>>;

/**
 * Every file by its kind. A kind is part of node numbers and of the records of open files: it stays with its file, and
 * is used once in all three tables. 0 to 2 are directories (`node-id.ts`); the others are below 256.
 */
export const ROOT_FILES: FileTable<Commons> = new Map([[3, engineStatus]]);

export const TCP_FILES: FileTable<Commons> = new Map([[4, clone]]);

/** An open `clone` is this file of the connection that it made. */
export const CTL = 16;

export const CONNECTION_FILES: FileTable<Connection> = new Map<number, File<Connection>>([
  [CTL, ctl],
  [17, data],
  [18, connect],
  [19, bind],
  [20, listen],
  [21, accept],
  [22, state],
  [23, status],
  [24, local],
  [25, remote],
  [26, error],
]);

/** The kind of the file called `name`. */
export function kindOfName(files: FileTable<never>, name: string): number | undefined {
  for (const [kind, file] of files) if (file.name === name) return kind;
  return undefined;
}
