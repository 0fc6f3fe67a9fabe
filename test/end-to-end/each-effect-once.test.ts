import '../namespace.ts';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { CrashPoint } from '../../mount/crash-point.ts';
import { Caller } from './caller.ts';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { LONG_LIFE_MILLISECONDS } from './kill-repeatedly.ts';
import { accept, dial, listen, readToEnd } from './peer.ts';
import { untilInside } from './processes.ts';

const { O_RDONLY, O_WRONLY, O_RDWR } = constants;

/** Programs that wait in READ all the time, so that what is delivered again is several requests, in no order. */
const WAITING = ['one', 'two', 'three'];

/**
 * Where engines die, one after the other, while a program makes one call: the first one at each pass
 * of 'read-request' that the call comes to, at the other points for the last of its requests.
 */
const DEATHS: readonly (readonly [
  first: CrashPoint,
  second?: CrashPoint,
  pass?: 'same' | number,
])[] = [
  ['read-request'],
  ['before-commit'],
  ['after-commit'],
  ['after-outputs'],
  ['after-commit', 'asked-again', 1],
  ['after-commit', 'amid-redelivery', 2],
  ['after-commit', 'first-turn', 1],
  ['after-commit', 'after-outputs', 'same'],
];

/** In every run each kind of call meets the first of these, and so many of the others in turn; by `npm run deaths` all. */
const OTHERS_AT_A_TIME = process.env['HOLDFAST_DEATHS'] === 'all' ? DEATHS.length - 1 : 1;

function deathsOf(kind: number): typeof DEATHS {
  const [first, ...others] = DEATHS;
  const from = kind * OTHERS_AT_A_TIME;
  const some = Array.from(
    { length: OTHERS_AT_A_TIME },
    (_, i) => others[(from + i) % others.length]!,
  );
  return [first!, ...some];
}

/** By an open file: the call is one request, also close(2), which does not wait for it. */
const BY_DESCRIPTOR = 1;
/** By a path: the last of no more than so many requests is the one that matters, what is asked of the path comes before. */
const BY_PATH = 6;

/** What a case works with. */
interface Scene {
  readonly t: Test;
  readonly daemon: Daemon;
  readonly caller: Caller;
}

/** A socket of the kernel's at this end. */
async function udpSocket(t: Test): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, HOST);
  t.teardown(() => socket.close());
  await once(socket, 'listening');
  return socket;
}

/** One case: what to do while engines die, and what must then be so. */
interface Case {
  act(): Promise<unknown>;
  check(result: unknown): void | Promise<void>;
}

interface Kind {
  /** How many requests the call makes at the most. */
  readonly requests: number;
  /** Prepares what all cases of a kind of request share, and gives what makes one case after the other. */
  prepare(scene: Scene): Promise<(number: number) => Promise<Case>>;
}

const KINDS: Record<string, Kind> = {
  'READ of data': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      const socket = await established(t, daemon, 'chat', 9000);
      const data = await caller.open('net/tcp/chat/data', O_RDONLY);
      return async (number) => {
        const text = padded(number);
        socket.write(text);
        await until(async () => (await daemon.read('tcp/chat/status')).includes('\nreadable 8\n'));
        return {
          act: () => caller.call('read', data, 100),
          check: (result) => void t.equal(result, text),
        };
      };
    },
  },

  'WRITE of data': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      const socket = await established(t, daemon, 'chat', 9000);
      const data = await caller.open('net/tcp/chat/data', O_WRONLY);
      let got = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        got += text;
      });
      socket.resume();
      let expected = '';
      return async (number) => ({
        act: () => caller.call('write', data, padded(number)),
        async check(result) {
          t.equal(result, 8);
          expected += padded(number);
          await until(() => got.length >= expected.length);
          t.equal(got, expected);
        },
      });
    },
  },

  'READ of a datagram': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      await daemon.run(`mkdir net/udp/srv; echo ${STACK}:5353 > net/udp/srv/bind`);
      const data = await caller.open('net/udp/srv/data', O_RDONLY);
      const socket = await udpSocket(t);
      return async (number) => {
        for (const text of [padded(number), padded(number + 1)]) socket.send(text, 5353, STACK);
        await until(async () =>
          (await daemon.read('udp/srv/status')).includes('\nreadable_datagrams 2\n'),
        );
        return {
          act: () => caller.call('read', data, 100),
          async check(result) {
            t.equal(result, padded(number));
            t.equal(await caller.call('read', data, 100), padded(number + 1));
          },
        };
      };
    },
  },

  'WRITE of a datagram': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      const socket = await udpSocket(t);
      const { port } = socket.address();
      await daemon.run(`mkdir net/udp/cli; echo ${HOST}:${port} > net/udp/cli/connect`);
      const data = await caller.open('net/udp/cli/data', O_WRONLY);
      const got: string[] = [];
      socket.on('message', (text) => got.push(text.toString('latin1')));
      return async (number) => ({
        act: () => caller.call('write', data, padded(number)),
        async check(result) {
          t.equal(result, 8);
          // What leaves behind it tells that it has left, or never will.
          const behind = `behind ${number}`;
          await caller.call('write', data, behind);
          await until(() => got.includes(behind));
          t.ok(got.filter((text) => text === padded(number)).length <= 1, 'sent once at the most');
        },
      });
    },
  },

  'READ of accept': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      await daemon.run(
        `mkdir net/tcp/srv; echo ${STACK}:8080 > net/tcp/srv/bind; echo 9 > net/tcp/srv/listen`,
      );
      return async () => {
        const accept = await caller.open('net/tcp/srv/accept', O_RDONLY);
        const socket = await dial(STACK, 8080);
        return {
          act: () => caller.call('read', accept, 100),
          async check(result) {
            const name = String(result).trim();
            t.equal(await daemon.read(`tcp/${name}/remote`), `${HOST}:${socket.localPort}`);
            socket.destroy();
            await caller.call('close', accept);
            await daemon.run(`echo hangup > net/tcp/${name}/ctl`);
          },
        };
      };
    },
  },

  'OPEN of clone': {
    requests: BY_PATH,
    prepare: async ({ t, caller }) => {
      let before = Number.NaN;
      return async () => ({
        act: () => caller.call('open', 'net/tcp/clone', O_RDWR),
        async check(result) {
          const number = Number(await caller.call('read', result as number, 100));
          if (!Number.isNaN(before)) t.equal(number, before + 1, 'no number was left out');
          before = number;
          await caller.call('close', result as number);
          t.equal(await caller.call('rmdir', `net/tcp/${number}`), null);
        },
      });
    },
  },

  'OPEN of dial': {
    requests: BY_PATH,
    prepare: async ({ t, daemon, caller }) => {
      const server = await listen(HOST, 9000);
      t.teardown(() => server.close());
      let accepted = 0;
      server.on('connection', (socket) => {
        accepted++;
        socket.on('end', () => socket.end()).write(padded(accepted));
        socket.resume();
      });
      let calls = 0;
      return async () => ({
        act: () => caller.call('open', `net/dial/${HOST}:9000`, O_RDWR),
        async check(result) {
          calls++;
          t.equal(typeof result, 'number', `${result}`);
          t.equal(await caller.call('read', result as number, 100), padded(calls));
          t.equal(accepted, calls);
          await caller.call('close', result as number);
          await until(async () => !(await connections(daemon)).some((name) => /^\d+$/.test(name)));
        },
      });
    },
  },

  'OPEN of accept_data': {
    requests: BY_PATH,
    prepare: async ({ t, daemon, caller }) => {
      await daemon.run(`mkdir net/tcp/srv; echo ${STACK}:8080 > net/tcp/srv/listen`);
      return async (number) => {
        const [socket, next] = [await dial(STACK, 8080), await dial(STACK, 8080)];
        socket.write(padded(number));
        return {
          act: () => caller.call('open', 'net/tcp/srv/accept_data', O_RDWR),
          async check(result) {
            t.equal(typeof result, 'number', `${result}`);
            t.equal(await caller.call('read', result as number, 100), padded(number));
            await caller.call('close', result as number);
            t.equal(String(await readToEnd(socket)), '');
            next.end(padded(number + 1));
            const other = await caller.open('net/tcp/srv/accept_data', O_RDWR);
            t.equal(await caller.call('read', other, 100), padded(number + 1));
            await caller.call('close', other);
            for (const each of [socket, next]) each.destroy();
            await until(
              async () => !(await connections(daemon)).some((name) => /^\d+$/.test(name)),
            );
          },
        };
      };
    },
  },

  RELEASE: {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      const server = await listen(HOST, 9000);
      t.teardown(() => server.close());
      return async (number) => {
        const descriptor = await caller.open('net/tcp/clone', O_RDWR);
        const name = String(await caller.call('read', descriptor, 100)).trim();
        const accepting = accept(server);
        await caller.call('write', descriptor, `autoclose on\nconnect ${HOST}:9000\n`);
        await daemon.run(`echo ${padded(number)} > net/tcp/${name}/data`);
        const socket = await accepting;
        return {
          act: () => caller.call('close', descriptor),
          async check(result) {
            t.equal(result, null);
            t.equal(String(await readToEnd(socket)), `${padded(number)}\n`);
            await until(async () => !(await connections(daemon)).includes(name));
          },
        };
      };
    },
  },

  'WRITE of ctl': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      return async (number) => {
        await caller.call('mkdir', `net/tcp/idle${number}`);
        const ctl = await caller.open(`net/tcp/idle${number}/ctl`, O_WRONLY);
        return {
          act: () => caller.call('write', ctl, `bind ${STACK}:${5000 + number}\nclose\n`),
          async check(result) {
            t.equal(typeof result, 'number', `${result}`);
            await caller.call('close', ctl);
            t.notOk((await connections(daemon)).includes(`idle${number}`));
          },
        };
      };
    },
  },

  'WRITE of connect': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, caller }) => {
      const server = await listen(HOST, 9000);
      t.teardown(() => server.close());
      let accepted = 0;
      server.on('connection', (socket) => {
        accepted++;
        socket.on('end', () => socket.end()).resume();
      });
      let calls = 0;
      return async (number) => {
        await caller.call('mkdir', `net/tcp/call${number}`);
        const connect = await caller.open(`net/tcp/call${number}/connect`, O_WRONLY);
        return {
          act: () => caller.call('write', connect, `${HOST}:9000\n`),
          async check(result) {
            t.equal(result, `${HOST}:9000\n`.length);
            calls++;
            await until(() => accepted >= calls);
            t.equal(accepted, calls);
            await caller.call('close', connect);
            await caller.call('rmdir', `net/tcp/call${number}`);
          },
        };
      };
    },
  },

  'WRITE of bind': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      return async (number) => {
        await caller.call('mkdir', `net/tcp/idle${number}`);
        const bind = await caller.open(`net/tcp/idle${number}/bind`, O_WRONLY);
        const address = `${STACK}:${5000 + number}`;
        return {
          act: () => caller.call('write', bind, address),
          async check(result) {
            t.equal(result, address.length);
            t.equal(await daemon.read(`tcp/idle${number}/local`), address);
            await caller.call('close', bind);
            await caller.call('rmdir', `net/tcp/idle${number}`);
          },
        };
      };
    },
  },

  'WRITE of listen': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      return async (number) => {
        await caller.call('mkdir', `net/tcp/idle${number}`);
        const listening = await caller.open(`net/tcp/idle${number}/listen`, O_WRONLY);
        const address = `${STACK}:${5000 + number}`;
        return {
          act: () => caller.call('write', listening, address),
          async check(result) {
            t.equal(result, address.length);
            t.equal(await daemon.read(`tcp/idle${number}/state`), 'LISTEN');
            await caller.call('close', listening);
            await caller.call('rmdir', `net/tcp/idle${number}`);
          },
        };
      };
    },
  },

  'WRITE of sockopts': {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      await caller.call('mkdir', 'net/tcp/idle');
      const ttl = await caller.open('net/tcp/idle/sockopts/ttl', O_WRONLY);
      return async (number) => ({
        act: () => caller.call('write', ttl, `${(number % 200) + 1}`),
        async check() {
          t.equal(await daemon.read('tcp/idle/sockopts/ttl'), `${(number % 200) + 1}`);
        },
      });
    },
  },

  MKDIR: {
    requests: BY_PATH,
    prepare: async ({ t, daemon, caller }) => {
      return async (number) => ({
        act: () => caller.call('mkdir', `net/tcp/room${number}`),
        async check(result) {
          t.equal(result, null);
          t.ok((await connections(daemon)).includes(`room${number}`));
          await caller.call('rmdir', `net/tcp/room${number}`);
        },
      });
    },
  },

  RMDIR: {
    requests: BY_PATH,
    prepare: async ({ t, daemon, caller }) => {
      return async (number) => {
        await caller.call('mkdir', `net/tcp/room${number}`);
        return {
          act: () => caller.call('rmdir', `net/tcp/room${number}`),
          async check(result) {
            t.equal(result, null);
            t.notOk((await connections(daemon)).includes(`room${number}`));
          },
        };
      };
    },
  },

  SETATTR: {
    requests: BY_PATH,
    prepare: async ({ t, caller, daemon }) => {
      await caller.call('mkdir', 'net/tcp/room');
      return async (number) => {
        const mode = [0o700, 0o750, 0o755][number % 3]!;
        return {
          act: () => caller.call('chmod', 'net/tcp/room', mode),
          async check(result) {
            t.equal(result, null);
            const { stdout } = await daemon.run('stat -c %a net/tcp/room');
            t.equal(stdout.trim(), mode.toString(8));
          },
        };
      };
    },
  },

  POLL: {
    requests: BY_DESCRIPTOR,
    prepare: async ({ t, daemon, caller }) => {
      const socket = await established(t, daemon, 'chat', 9000);
      const data = await caller.open('net/tcp/chat/data', O_RDWR);
      const POLLIN = 1;
      return async (number) => {
        if (number === 0) socket.write('something');
        await until(async () => (await daemon.read('tcp/chat/status')).includes('\nreadable 9\n'));
        return {
          act: () => caller.call('poll', data, POLLIN),
          check: (result) => void t.same(result, [POLLIN]),
        };
      };
    },
  },
};

for (const [kind, [name, { requests, prepare }]] of Object.entries(KINDS).entries()) {
  t.test(`${name}: once, wherever engines die`, async (t) => {
    const daemon = await Daemon.start(t);
    const caller = new Caller(daemon);
    const waiting = await Promise.all(WAITING.map((name, i) => wait(t, daemon, name, 9100 + i)));
    const nextCase = await prepare({ t, daemon, caller });
    let number = 0;
    /** Which of the call's requests was the last. */
    let last = 1;
    for (const [first, second, at = 1] of deathsOf(kind)) {
      let deaths = 0;
      for (let pass = last; pass <= requests; pass++) {
        const { act, check } = await nextCase(number++);
        daemon.arm(first, pass);
        if (second !== undefined) daemon.arm(second, at === 'same' ? pass : at);
        const result = await act();
        // Whether the call makes so many requests at all is found at the first point, which the call cannot outrun.
        // At the others the program may know of its call before the engine comes to the point that follows.
        if (requests !== BY_PATH || first !== 'read-request') {
          await until(() => !daemon.armed(first));
        }
        const isOver = daemon.armed(first);
        daemon.disarm(first);
        if (second !== undefined && !isOver) await until(() => !daemon.armed(second));
        if (second !== undefined) daemon.disarm(second);
        await check(result);
        if (isOver) break;
        deaths++;
        last = pass;
        if (first !== 'read-request') break;
      }
      // The keeper delays the next engine after many short lives.
      if (requests > 1) await delay(LONG_LIFE_MILLISECONDS);
      t.ok(deaths > 0, `an engine has died: ${first}${second === undefined ? '' : `, ${second}`}`);
    }
    for (const { socket, program } of waiting) {
      socket.end('at last');
      t.same(await program.ended, { status: 0, stdout: 'opened\nat last', stderr: '' });
    }
  });
}

/** A program that waits for bytes from its peer. */
async function wait(t: Test, daemon: Daemon, name: string, port: number) {
  const socket = await established(t, daemon, name, port);
  const program = daemon.shell(`exec 3< net/tcp/${name}/data; echo opened; exec cat <&3`);
  await program.printed(/opened/);
  await untilInside(program.pid, 'read');
  return { socket, program };
}

async function connections(daemon: Daemon): Promise<string[]> {
  return await readdir(join(daemon.mountpoint, 'tcp'));
}

function padded(number: number): string {
  return String(number).padStart(8, '0');
}
