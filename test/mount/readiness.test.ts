import { spawn } from 'node:child_process';
import { closeSync, readSync, writeSync } from 'node:fs';
import koffi from 'koffi';
import t, { type Test } from 'tap';
import { Readiness } from '../../mount/readiness.ts';
import { monotonicNow } from '../../persist/clock.ts';

const pipe2 = koffi.load('libc.so.6').func('int pipe2(void *descriptors, int flags)');

function pipe(t: Test): [readEnd: number, writeEnd: number] {
  const ends = new Int32Array(2);
  t.equal(pipe2(ends, 0), 0);
  t.teardown(() => {
    for (const end of ends) closeSync(end);
  });
  return [ends[0]!, ends[1]!];
}

const ioctl = koffi.load('libc.so.6').func('int ioctl(int descriptor, ulong request, void *bytes)');
const FIONREAD = 0x541b;

/** Bytes that wait in the pipe. */
function readable(descriptor: number): number {
  const bytes = new Int32Array(1);
  ioctl(descriptor, FIONREAD, bytes);
  return bytes[0]!;
}

/** Something the loop has to wait for, of which it knows nothing: a program that runs this long. */
function elsewhere(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    spawn('sleep', [String(milliseconds / 1000)]).on('exit', () => resolve());
  });
}

t.test('a turn follows what comes in', async (t) => {
  const [readEnd, writeEnd] = pipe(t);
  const seen: string[] = [];
  const bytes = Buffer.alloc(16);
  await new Promise<void>((resolve) => {
    let expected = false;
    const readiness = new Readiness(() => {
      if (!expected) return;
      expected = false;
      seen.push(bytes.toString('utf8', 0, readSync(readEnd, bytes)));
      if (seen.length < 3) send();
      else {
        readiness.stop();
        resolve();
      }
    });
    function send(): void {
      // From another process, so that nothing but the descriptor ends the wait.
      const child = spawn('sh', ['-c', 'echo x >&3'], {
        stdio: ['ignore', 'ignore', 'ignore', writeEnd],
      });
      child.on('exit', () => {});
      expected = true;
      while (readable(readEnd) === 0) {}
    }
    readiness.watch(readEnd);
    send();
  });
  t.same(seen, ['x\n', 'x\n', 'x\n']);
});

t.test('a turn follows each deadline, wherever it was armed', async (t) => {
  const [readEnd] = pipe(t);
  let turns: number[] = [];
  const readiness = new Readiness(() => turns.push(monotonicNow()));
  readiness.watch(readEnd);
  t.teardown(() => readiness.stop());
  const places: ((arm: () => void) => void)[] = [
    (arm) => setTimeout(arm, 1),
    (arm) => setImmediate(arm),
    (arm) => queueMicrotask(arm),
    (arm) => spawn('true').on('exit', arm),
  ];
  for (const place of places) {
    for (const delay of [-1, 0, 0.3, 1, 1.5, 7]) {
      const deadline = await new Promise<number>((resolve) => {
        place(() => {
          const deadline = monotonicNow() + delay;
          turns = [];
          readiness.arm(deadline);
          resolve(deadline);
        });
      });
      // No timer, immediate or handle of Node's is left, so only the deadline can end the wait.
      await new Promise<void>((resolve) => {
        const push = turns.push;
        turns.push = (...times): number => {
          if (times[0]! >= deadline) resolve();
          return push.apply(turns, times);
        };
      });
    }
  }
  t.pass('none was missed');
});

t.test('it costs nothing while nothing happens', async (t) => {
  const [readEnd, writeEnd] = pipe(t);
  let turns = 0;
  const readiness = new Readiness(() => {
    turns += 1;
  });
  readiness.watch(readEnd);
  t.teardown(() => readiness.stop());
  const before = process.cpuUsage();
  await elsewhere(1000);
  const { user, system } = process.cpuUsage(before);
  t.ok(turns > 0, 'a turn follows the news of the child');
  t.ok(turns < 100, `${turns} turns`);
  t.ok(user + system < 500_000, `${user + system} us of processor in a second`);
  // An unread byte is news in every iteration: the same count can grow.
  writeSync(writeEnd, 'x');
  const idle = turns;
  while (turns <= idle + 100) await elsewhere(10);
});

t.test('a deadline that is replaced does not come', async (t) => {
  const [readEnd] = pipe(t);
  let turns = 0;
  const readiness = new Readiness(() => {
    turns += 1;
  });
  readiness.watch(readEnd);
  t.teardown(() => readiness.stop());
  for (let i = 0; i < 100; i += 1) readiness.arm(monotonicNow() + 1 + i / 10);
  readiness.arm(undefined);
  await elsewhere(200);
  t.ok(turns < 50, `${turns} turns`);
});

t.test('who is paused when a turn was due at once waits, and has it afterwards', async (t) => {
  let turns = 0;
  const readiness = new Readiness(() => {
    turns += 1;
  });
  readiness.arm(monotonicNow());
  readiness.pause();
  // The loop goes round: a turn that was armed has passed by.
  for (let round = 0; round < 3; round++) await elsewhere(1);
  t.equal(turns, 0);
  const waiting = process.getActiveResourcesInfo();
  t.notOk(waiting.includes('Immediate'), `the loop does not go round at once: ${waiting}`);
  readiness.resume();
  await elsewhere(1);
  t.ok(turns > 0, `${turns} turns`);
  readiness.stop();
});
