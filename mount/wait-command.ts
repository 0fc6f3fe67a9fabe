import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { STATE_COUNT, stateName } from '../tcp/state.ts';
import { HostError } from './host-error.ts';
import { pollDescriptor } from './system-calls.ts';
import { UsageError } from './usage.ts';

const STATES: readonly string[] = Array.from({ length: STATE_COUNT }, (_, state) =>
  stateName(state),
);

/** How often to look where poll(2) says that any file is ready, as with the driver fuse-native, in milliseconds. */
const LOOK_MILLISECONDS = 20;

/** More than any name of a state. */
const LONGEST_ANSWER = 64;

/** What the command line asks for. */
interface Wanted {
  /** Absolute path of a connection's directory. */
  readonly connection: string;
  readonly states: readonly string[];
  /** Undefined: for ever. */
  readonly milliseconds: number | undefined;
}

/** `holdfast wait CONNECTION STATE... [--timeout SECONDS]`: waits until the connection is in one of these states. */
export async function waitCommand(argv: readonly string[]): Promise<void> {
  const wanted = parse(argv);
  const { milliseconds } = wanted;
  // Without a reference: only the connection keeps this process going.
  const timeout = milliseconds === undefined ? [] : [delay(milliseconds, 'late', { ref: false })];
  if ((await Promise.race([arrival(wanted), ...timeout])) !== 'late') return;
  throw new HostError(`${wanted.connection} was not ${wanted.states.join(' or ')} in time`);
}

/** @throws HostError when it cannot come to that any more */
async function arrival({ connection, states }: Wanted): Promise<void> {
  try {
    await using file = await open(join(connection, 'state'));
    const answer = Buffer.alloc(LONGEST_ANSWER);
    for (let before = ''; ; ) {
      const { bytesRead } = await file.read(answer, 0, LONGEST_ANSWER, 0);
      const state = answer.toString('utf8', 0, bytesRead).trim();
      if (states.includes(state)) return;
      if (state === 'CLOSED') await refuseFailed(connection);
      if (state === before) await delay(LOOK_MILLISECONDS);
      before = state;
      await pollDescriptor(file.fd);
    }
  } catch (error) {
    if (error instanceof HostError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new HostError(`${connection} is no connection, or none any more (${code})`);
  }
}

/** A connection that has failed goes nowhere by itself. */
async function refuseFailed(connection: string): Promise<void> {
  await using file = await open(join(connection, 'error'));
  const error = (await file.readFile('utf8')).trim();
  if (error !== '') throw new HostError(`${connection} has failed: ${error}`);
}

function parse(argv: readonly string[]): Wanted {
  const { values, positionals } = parsed(argv);
  const [connection, ...states] = positionals;
  if (connection === undefined || states.length === 0) {
    throw new UsageError('wait takes a connection and at least one state');
  }
  for (const state of states) {
    if (!STATES.includes(state)) throw new UsageError(`there is no state ${state}`);
  }
  const { timeout } = values;
  if (timeout !== undefined && !/^\d{1,6}(\.\d+)?$/.test(timeout)) {
    throw new UsageError(`${timeout} is no number of seconds`);
  }
  const milliseconds = timeout === undefined ? undefined : Number(timeout) * 1000;
  return { connection: resolve(connection), states, milliseconds };
}

function parsed(argv: readonly string[]) {
  try {
    const options = { timeout: { type: 'string' } } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
