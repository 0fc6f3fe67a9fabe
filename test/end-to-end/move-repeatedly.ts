import { execFileSync } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { CrashPoint } from '../../mount/crash-point.ts';
import { until } from './condition.ts';
import { Daemon, STACK } from './daemon.ts';
import { established } from './established.ts';
import { countRsts, rsts } from './rst-counter.ts';

/** Where an engine may die, in a step of the move or beside it. */
const POINTS: readonly CrashPoint[] = [
  'read-request',
  'before-commit',
  'after-commit',
  'between-outputs',
  'after-outputs',
];

/** What each side says at an offset of its stream. */
const PERIOD = 251;
const PIECE = Buffer.from(Array.from({ length: PERIOD * 256 }, (_, at) => at % PERIOD));

function from(offset: number, length: number): Buffer {
  const start = offset % PERIOD;
  return PIECE.subarray(start, start + length);
}

/** A daemon with the address, and the interface by which it speaks. */
interface Place {
  readonly daemon: Daemon;
  readonly tun: string;
}

/** How many packets a daemon has sent: what the host has received from its interface. */
function packetsFrom({ tun }: Place): number {
  const [link] = JSON.parse(
    execFileSync('ip', ['-s', '-j', 'link', 'show', tun], { encoding: 'utf8' }),
  ) as { stats64: { rx: { packets: number } } }[];
  return link!.stats64.rx.packets;
}

function route({ tun }: Place): void {
  execFileSync('ip', ['route', 'replace', `${STACK}/32`, 'dev', tun]);
}

/**
 * One connection moves `moves` times between two daemons with one address, while both its ends talk. In every second step
 * an engine dies at one of the crash points, and who asked for the step does it again.
 */
export async function moveRepeatedly(t: Test, moves: number): Promise<void> {
  const places: Place[] = [];
  for (const tun of ['holdfast0', 'holdfast1'])
    places.push({ daemon: await Daemon.start(t, '--tun', tun), tun });
  countRsts();
  route(places[0]!);
  const socket = await established(t, places[0]!.daemon, 'chat', 9000);
  let owner: Place | undefined = places[0];
  let isOver = false;
  let deaths = 0;
  const counts = { written: 0, got: 0, said: 0, read: 0 };

  socket.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += PIECE.length - PERIOD) {
      const piece = bytes.subarray(at, at + PIECE.length - PERIOD);
      if (!piece.equals(from(counts.got, piece.length))) t.fail(`other bytes at ${counts.got}`);
      counts.got += piece.length;
    }
  });
  socket.resume();
  socket.on('error', (error) => t.fail(`the peer got ${error.message}`));

  /** Goes on with `act` wherever the connection is, until the end. */
  const user = async (
    flags: string,
    isDone: () => boolean,
    act: (data: FileHandle) => Promise<void>,
  ): Promise<void> => {
    while (!isDone()) {
      if (owner === undefined) {
        await delay(5);
        continue;
      }
      const data = await open(join(owner.daemon.mountpoint, 'tcp/chat/data'), flags).catch(
        () => undefined,
      );
      try {
        while (data !== undefined && !isDone()) await act(data);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ECONNABORTED' && code !== 'ESTALE') t.fail(`a program got ${code}`);
      } finally {
        await data?.close();
      }
    }
  };
  const writing = user(
    'r+',
    () => isOver,
    async (data) => {
      counts.written += (await data.write(from(counts.written, 10_000))).bytesWritten;
      await delay(2);
    },
  );
  const isAllRead = () => isOver && counts.read === counts.said;
  const reading = user('r', isAllRead, async (data) => {
    const { buffer, bytesRead } = await data.read(Buffer.alloc(10_000), 0, 10_000);
    const bytes = buffer.subarray(0, bytesRead);
    if (!bytes.equals(from(counts.read, bytesRead))) t.fail(`other bytes at ${counts.read}`);
    counts.read += bytesRead;
  });
  const talking = setInterval(() => {
    if (socket.writableNeedDrain) return;
    socket.write(from(counts.said, 5000));
    counts.said += 5000;
  }, 5);

  /** Does a step until it is done, and has an engine die in every second one. */
  const step = async (number: number, { daemon }: Place, words: string): Promise<void> => {
    const point = POINTS[(number >> 1) % POINTS.length]!;
    if (number % 2 === 1) daemon.arm(point, 1 + (number % 3));
    const { status, stderr } = await daemon.holdfast(words);
    if (status !== 0 && !stderr.includes('EEXIST')) t.fail(`${words}: ${stderr}`);
    if (number % 2 === 1 && !daemon.armed(point)) deaths++;
    daemon.disarm(point);
    const again = await daemon.holdfast(words.replace('> ', '> again-'));
    const isDone = again.status === 0 || again.stderr.includes('EEXIST');
    if (!isDone) t.fail(`${words} again: ${again.stderr}`);
  };

  for (let move = 0; move < moves; move++) {
    const [source, target] = [places[move % 2]!, places[(move + 1) % 2]!];
    const file = join(source.daemon.directory, `chat-${move}`);
    owner = undefined;
    await step(2 * move, source, `export net chat > chat-${move}`);
    const before = packetsFrom(source);
    const same = await source.daemon.run(`cmp chat-${move} again-chat-${move}`);
    t.equal(same.status, 0, 'the same file again');
    await step(2 * move + 1, target, `import net < ${file}`);
    route(target);
    owner = target;
    const heard = counts.got;
    await until(() => counts.got > heard);
    if (packetsFrom(source) !== before) t.fail(`two speakers in move ${move}`);
  }
  clearInterval(talking);
  isOver = true;
  await writing;
  await until(() => counts.got === counts.written && counts.read === counts.said);
  socket.end();
  await reading;
  t.same(rsts(), { received: 0, sent: 0 });
  t.ok(counts.got > 0 && counts.read > 0);
  t.comment(JSON.stringify({ ...counts, deaths }));
}
