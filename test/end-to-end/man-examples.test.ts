// holdfast(5) has an entry with an example for every file, and each example does what it shows.
import '../namespace.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { FileTable } from '../../fs/file.ts';
import {
  CONNECTION_FILES,
  IFACE_FILES,
  PERSIST_FILES,
  ROOT_FILES,
  TCP_FILES,
  UDP_FILES,
  UDP_SOCKET_FILES,
} from '../../fs/files.ts';
import { SOCKOPTS_FILES } from '../../fs/sockopts.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { echoServer } from './echo-server.ts';
import { dial } from './peer.ts';

/** Commands behind `$ `, each with what it prints below it. */
interface Example {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Every file that there is, as its entry is called. */
const FILES = [
  ...namesIn('', ROOT_FILES),
  ...namesIn('tcp/', TCP_FILES),
  ...namesIn('iface/', IFACE_FILES),
  ...namesIn('persist/', PERSIST_FILES),
  ...namesIn('udp/', UDP_FILES),
  ...namesIn('', CONNECTION_FILES),
  ...namesIn('', UDP_SOCKET_FILES),
  ...namesIn('', SOCKOPTS_FILES),
];

function namesIn(directory: string, files: FileTable<never>): string[] {
  return [...files.values()].map(({ name }) => `${directory}${name}`);
}

/** The displays of an mdoc(7) page that show commands, each under the name of the file that it is about. */
function examplesIn(page: string): Example[] {
  const examples: Example[] = [];
  let title = '';
  let display: string[] | undefined;
  for (const line of page.split('\n')) {
    const text = line.replace(/^\.Dl /, '').replaceAll('\\e', '\\');
    if (line.startsWith('.It Pa ')) title = line.split(' ')[2]!;
    else if (line.startsWith('.Dl $ ')) examples.push({ title, lines: [text] });
    else if (line.startsWith('.Bd -literal')) display = [];
    else if (line === '.Ed') {
      if (display?.[0]?.startsWith('$ ')) examples.push({ title, lines: display });
      display = undefined;
    } else display?.push(text);
  }
  return examples;
}

/** What the display shows, with `...` for anything. */
function pattern(lines: readonly string[]): RegExp {
  const escaped = lines.map((line) => line.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(
    `^${escaped.map((line) => `${line.replaceAll('\\.\\.\\.', '.*')}\n`).join('')}$`,
  );
}

const page = readFileSync(join(import.meta.dirname, '../../man/holdfast.5'), 'utf8');
const examples = examplesIn(page);

t.test('every file has an example', async (t) => {
  const titles = examples.map(({ title }) => title);
  for (const file of new Set(FILES)) {
    const wanted = FILES.filter((name) => name === file).length;
    t.ok(titles.filter((title) => title === file).length >= wanted, file);
  }
});

t.test('the examples do what they show', async (t) => {
  const daemon = await Daemon.start(t);
  await echoServer(t, 9000);
  for (const { title, lines } of examples) {
    await daemon.run(`
      mkdir net/tcp/chat net/tcp/server
      echo ${HOST}:9000 > net/tcp/chat/connect
      echo :8080 > net/tcp/server/listen
      mkdir net/udp/ask net/udp/server
      echo :5353 > net/udp/server/bind
      echo ${STACK}:5353 > net/udp/ask/connect
    `);
    const caller = await dial(STACK, 8080);
    caller.on('error', () => {});
    const commands = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
    const shown = lines.filter((line) => !line.startsWith('$ '));
    const { stdout } = await daemon.run(`export LC_ALL=C; exec 2>&1\n${commands.join('\n')}`);
    t.match(stdout, pattern(shown), `${title}: ${commands[0]}`);
    caller.destroy();
    await daemon.run('rmdir net/tcp/chat net/tcp/server net/udp/ask net/udp/server');
  }
});
