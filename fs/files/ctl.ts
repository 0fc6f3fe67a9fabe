import { ErrnoError } from '../../tcp/errno.ts';
import { type Attempt, BLOCKED, type Call } from '../attempt.ts';
import { setAutoclose } from '../autoclose.ts';
import type { Connection } from '../connection.ts';
import { dial, dialNews, MOST_DIALED, pollDial } from '../dial.ts';
import type { TextFile } from '../file.ts';
import { SOCKOPTS_FILES } from '../sockopts.ts';
import { bindTo } from './bind.ts';
import { announce, listenWith } from './listen.ts';
import { shutdownAs } from './shutdown.ts';

/** Does what a line says. `argument` is what follows the verb. A verb that blocks leaves a note below `NOTES`. */
type Verb = (connection: Connection, argument: string, call: Call) => Attempt<void>;

/** How many notes a line may leave, 0 among them. */
const NOTES = MOST_DIALED + 1;

/** Each option of `sockopts/` is a verb too. */
const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['connect', dial],
  ['announce', announce],
  ['bind', bindTo],
  ['listen', listenWith],
  ['shutdown', shutdownAs],
  ['autoclose', setAutoclose],
  ['close', withoutArgument((connection, { now }) => connection.stack.close(connection.pcb, now))],
  ['hangup', withoutArgument((connection, { now }) => connection.stack.abort(connection.pcb, now))],
  ...[...SOCKOPTS_FILES.values()].map(({ name, write }) => [name, write] as const),
]);

/**
 * One verb a line. Each write is a sequence of whole lines, the last of which needs no newline. A line that fails ends the
 * write with its error; the lines before it have happened, as in Plan 9. Reading gives the connection's name.
 */
export const ctl: TextFile<Connection> = {
  name: 'ctl',
  stream: false,
  read: ({ name }) => name,
  write: (connection, text, call) => {
    const lines = text.split('\n');
    // The note says which line has begun, and the line's own note.
    const begun = Math.floor(call.note / NOTES);
    for (let index = begun; index < lines.length; index++) {
      const line: Call = { ...call, note: index === begun ? call.note % NOTES : 0 };
      if (obey(connection, lines[index]!.trim(), line) === BLOCKED) {
        call.note = index * NOTES + line.note;
        return BLOCKED;
      }
    }
    return undefined;
  },
  poll: pollDial,
  news: dialNews,
};

function obey(connection: Connection, line: string, call: Call): Attempt<void> {
  if (line === '') return undefined;
  const [, word = '', argument = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  const verb = VERBS.get(word);
  if (verb === undefined) throw new ErrnoError('EINVAL');
  // An earlier line may have ended it.
  if (connection.isGone) throw new ErrnoError('ESTALE');
  return verb(connection, argument, call);
}

function withoutArgument(verb: (connection: Connection, call: Call) => void): Verb {
  return (connection, argument, call) => {
    if (argument !== '') throw new ErrnoError('EINVAL');
    verb(connection, call);
  };
}
