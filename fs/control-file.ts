import { ErrnoError } from '../tcp/errno.ts';
import { type Attempt, BLOCKED, type Call } from './attempt.ts';
import type { AnyConnection } from './connection.ts';
import { MOST_DIALED } from './dial.ts';
import type { TextFile } from './file.ts';

/** Does what a line says. `argument` is what follows the verb. A verb that blocks leaves a note below `NOTES`. */
export type Verb<Subject> = (connection: Subject, argument: string, call: Call) => Attempt<void>;

export type Verbs<Subject> = ReadonlyMap<string, Verb<Subject>>;

/** How many notes a line may leave, 0 among them. */
const NOTES = MOST_DIALED + 1;

/**
 * One verb a line. Each write is a sequence of whole lines, the last of which needs no newline. A line that fails ends the
 * write with its error; the lines before it have happened, as in Plan 9. Reading gives the connection's name.
 */
export function controlFile<Subject extends AnyConnection>(
  verbs: Verbs<Subject>,
): TextFile<Subject> {
  return {
    name: 'ctl',
    stream: false,
    read: ({ name }) => name,
    write: (connection, text, call) => {
      const lines = text.split('\n');
      // The note says which line has begun, and the line's own note.
      const begun = Math.floor(call.note / NOTES);
      for (let index = begun; index < lines.length; index++) {
        const line: Call = { ...call, note: index === begun ? call.note % NOTES : 0 };
        if (obey(verbs, connection, lines[index]!.trim(), line) === BLOCKED) {
          call.note = index * NOTES + line.note;
          return BLOCKED;
        }
      }
      return undefined;
    },
  };
}

function obey<Subject extends AnyConnection>(
  verbs: Verbs<Subject>,
  connection: Subject,
  line: string,
  call: Call,
): Attempt<void> {
  if (line === '') return undefined;
  const [, word = '', argument = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  const verb = verbs.get(word);
  if (verb === undefined) throw new ErrnoError('EINVAL');
  // An earlier line may have ended it.
  if (connection.isGone) throw new ErrnoError('ESTALE');
  return verb(connection, argument, call);
}

export function withoutArgument<Subject>(
  verb: (connection: Subject, call: Call) => void,
): Verb<Subject> {
  return (connection, argument, call) => {
    if (argument !== '') throw new ErrnoError('EINVAL');
    verb(connection, call);
  };
}
