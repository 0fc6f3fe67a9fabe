import { readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { CrashPoint } from '../../mount/crash-point.ts';
import { Capture } from './capture.ts';
import { until } from './condition.ts';
import { Daemon, STACK } from './daemon.ts';
import { established } from './established.ts';
import { ip, joinLan, makeLan, PEER } from './lan.ts';
import { countRsts, rsts } from './rst-counter.ts';

/** Where an engine may die, in a step of the move or beside it. */
const ENGINE_POINTS: readonly CrashPoint[] = [
  'read-request',
  'before-commit',
  'after-commit',
  'between-outputs',
  'after-outputs',
];

/** Where the first step is cut short: the command dies, or the engine that it asks. */
const EXPORT_POINTS: readonly CrashPoint[] = [
  'before-export',
  'after-export',
  'before-file',
  'after-file',
  ...ENGINE_POINTS,
];

/** And the second. */
const IMPORT_POINTS: readonly CrashPoint[] = [
  'before-import',
  'amid-import',
  'after-import',
  ...ENGINE_POINTS,
];

/** As bash counts a death by SIGKILL. */
const KILLED = 137;

/** What each side says at an offset of its stream. */
const PERIOD = 251;
const PIECE = Buffer.from(Array.from({ length: PERIOD * 256 }, (_, at) => at % PERIOD));

function from(offset: number, length: number): Buffer {
  const start = offset % PERIOD;
  return PIECE.subarray(start, start + length);
}

/** A host with a daemon that has the address, and what leaves it. */
interface Place {
  readonly name: string;
  /** The host's own, on the network. */
  readonly address: string;
  readonly daemon: Daemon;
  readonly capture: Capture;
}

async function place(t: Test, name: string, address: string): Promise<Place> {
  const host = await joinLan(t, name);
  await host.run(`ip address add ${address}/24 dev lan; sysctl -qw net.ipv4.ip_forward=1`);
  const daemon = Daemon.prepare(t);
  daemon.inside = host.inside;
  await daemon.mount();
  const capture = await Capture.start(t, host, 'lan', STACK);
  return { name, address, daemon, capture };
}

/** The address is there from now on. */
function route({ address }: Place): void {
  ip(`route replace ${STACK}/32 via ${address}`);
}

/** Whether a daemon speaks for the connection. */
async function isOwner({ daemon }: Place): Promise<boolean> {
  try {
    return (await daemon.read('tcp/chat/state')) !== 'MOVED';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}

/** @returns the errno with which a daemon refuses `file`; 0 if it takes it in */
async function refusal({ daemon }: Place, file: Buffer): Promise<number> {
  const question = await open(join(daemon.mountpoint, 'import'), 'r+');
  try {
    // As many writes as it takes.
    await question.writeFile(file);
    return 0;
  } catch (error) {
    // ESTALE has no name in Node.
    return -(error as NodeJS.ErrnoException).errno!;
  } finally {
    await question.close();
  }
}

/** Who spoke, one after the other, by the captures at both places. */
async function speakers(places: readonly Place[]): Promise<string[]> {
  const departures = await Promise.all(
    places.map(async ({ name, capture }) => (await capture.end()).map(({ at }) => ({ at, name }))),
  );
  return departures
    .flat()
    .sort((one, other) => (one.at < other.at ? -1 : 1))
    .map(({ name }) => name)
    .filter((name, at, names) => name !== names[at - 1]);
}

/**
 * One connection moves `moves` times between two daemons with one address, each on a host of its own, while both its ends talk, and the
 * address moves along. Every step is cut short somewhere, and who asked for it asks again: at no time do both daemons speak, nor is
 * there a moment from which the connection cannot be had again.
 * @param first the number of the first move: which ones are cut short where follows from their numbers
 */
export async function moveRepeatedly(t: Test, moves: number, first = 0): Promise<void> {
  makeLan();
  const places = [await place(t, 'a', '10.8.0.11'), await place(t, 'b', '10.8.0.12')];
  countRsts();
  const begin = places[first % 2]!;
  route(begin);
  const socket = await established(t, begin.daemon, 'chat', 9000, PEER);
  let owner: Place | undefined = begin;
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

  /** Whose the connection is, or nobody's as long as there is a file of it: nothing else may be. */
  const check = async (source: Place, target: Place, isTaken: boolean): Promise<void> => {
    const [isSource, isTarget] = [await isOwner(source), await isOwner(target)];
    t.notOk(isSource && (isTarget || isTaken), 'the source has let go of it');
    if (isSource || isTarget) return;
    const { stdout } = await source.daemon.run('head -c 8 net/tcp/chat/export');
    t.equal(stdout, 'HOLDMOVE', 'it can be had again');
  };

  /** Does a step that is cut short at `point`: if it was the command that died, it is given again. */
  const step = async (
    { daemon }: Place,
    words: string,
    point: CrashPoint,
    pass: number,
    check: () => Promise<void>,
  ): Promise<void> => {
    const isCommand = !ENGINE_POINTS.includes(point);
    daemon.arm(point, isCommand ? 1 : pass);
    let { status, stderr } = await daemon.holdfast(words);
    if (!daemon.armed(point)) deaths++;
    daemon.disarm(point);
    await check();
    if (isCommand) {
      t.equal(status, KILLED, point);
      ({ status, stderr } = await daemon.holdfast(words));
      await check();
    }
    if (status !== 0 && !(isCommand && stderr.includes('EEXIST'))) t.fail(`${words}: ${stderr}`);
  };

  let before: Buffer | undefined;
  for (let move = first; move < first + moves; move++) {
    const [source, target] = [places[move % 2]!, places[(move + 1) % 2]!];
    const path = join(source.daemon.directory, `chat-${move}`);
    const exportPoint = EXPORT_POINTS[move % EXPORT_POINTS.length]!;
    // One further in every cycle, so that both daemons come to all of them.
    const cycle = Math.floor(move / IMPORT_POINTS.length);
    const importPoint = IMPORT_POINTS[(move + cycle) % IMPORT_POINTS.length]!;
    const pass = 1 + (move % 3);
    owner = undefined;
    await step(source, `export net chat > ${path}`, exportPoint, pass, () =>
      check(source, target, false),
    );
    // While it is nobody's, either side may be somebody else.
    if (move % 2 === 0) await places[(move >> 1) % 2]!.daemon.killEngine();
    const file = readFileSync(path);
    const again = await source.daemon.run(`cat net/tcp/chat/export | cmp - ${path}`);
    t.equal(again.status, 0, 'the same file again');
    await step(target, `import net < ${path}`, importPoint, pass, () =>
      check(source, target, true),
    );
    if (before !== undefined) {
      t.equal(await refusal(source, before), constants.errno.ESTALE, 'it has been here since');
      t.equal(await refusal(target, before), constants.errno.EADDRINUSE, 'it is here, and later');
    }
    t.equal(await refusal(target, file), constants.errno.EEXIST, 'it is here');
    before = file;
    route(target);
    owner = target;
    const heard = counts.got;
    await until(() => counts.got > heard);
  }
  clearInterval(talking);
  isOver = true;
  await writing;
  await until(() => counts.got === counts.written && counts.read === counts.said);
  socket.end();
  await reading;
  t.same(rsts(), { received: 0, sent: 0 });
  t.same(
    await speakers(places),
    Array.from({ length: moves + 1 }, (_, at) => places[(first + at) % 2]!.name),
    'one after the other',
  );
  t.ok(counts.got > 0 && counts.read > 0);
  t.comment(JSON.stringify({ ...counts, deaths }));
}
