import { setAutoclose } from '../autoclose.ts';
import type { Connection } from '../connection.ts';
import { controlFile, type Verb, withoutArgument } from '../control-file.ts';
import { dial, dialNews, pollDial } from '../dial.ts';
import type { TextFile } from '../file.ts';
import { SOCKOPTS_FILES } from '../sockopts.ts';
import { bindTo } from './bind.ts';
import { announce, listenWith } from './listen.ts';
import { shutdownAs } from './shutdown.ts';

/** What can be done with a connection. Each option of `sockopts/` is a verb too. */
export const ctl: TextFile<Connection> = {
  ...controlFile(
    new Map<string, Verb<Connection>>([
      ['connect', dial],
      ['announce', announce],
      ['bind', bindTo],
      ['listen', listenWith],
      ['shutdown', shutdownAs],
      ['autoclose', setAutoclose],
      ['close', withoutArgument((connection, { now }) => connection.close(now))],
      [
        'hangup',
        withoutArgument((connection, { now }) => connection.stack.abort(connection.pcb, now)),
      ],
      ['export', withoutArgument(({ stack, pcb }, { now }) => stack.moveOut(pcb, now, Date.now()))],
      ...[...SOCKOPTS_FILES.values()].map(({ name, write }) => [name, write] as const),
    ]),
  ),
  poll: pollDial,
  news: dialNews,
};
