import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { Control } from './control.ts';
import { HostError } from './host-error.ts';

/** What a command asks the keeper of a mount. */
export interface Question {
  readonly ask: 'state' | 'freeze' | 'thaw' | 'upgrade';
}

export interface Answer {
  /** One line for the user: why it was not done. */
  readonly error?: string;
  readonly isFrozen: boolean;
}

/** Where the keeper of a store listens. Whoever moves or copies a store need not take it along. */
function socketOf(store: string): string {
  return `${store}.control`;
}

/** Calls `act` with a path to the socket that is short enough, wherever it lies: `sun_path` has 108 bytes (unix(7)). */
function withPath<Result>(store: string, act: (path: string) => Result): Result {
  const directory = openSync(dirname(store), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return act(`/proc/self/fd/${directory}/${basename(socketOf(store))}`);
  } finally {
    closeSync(directory);
  }
}

/**
 * Answers commands, until `close`. Only the user of this process, and root, can ask.
 * @param answer must not fail
 */
export function listenForCommands(
  store: string,
  answer: (question: Question) => Promise<Answer>,
): Server {
  const server = createServer((socket) => {
    const control: Control<Answer, Question> = new Control(
      socket,
      async (question) => control.send(await answer(question)),
      () => {},
    );
  });
  // Without it the mount is as good as any, but for the commands that need it.
  server.on('error', () => {});
  rmSync(socketOf(store), { force: true });
  const mask = process.umask(0o177);
  withPath(store, (path) => server.listen(path));
  process.umask(mask);
  return server.unref();
}

/** Takes the socket away. */
export function stopListening(store: string, server: Server): void {
  server.close();
  rmSync(socketOf(store), { force: true });
}

/**
 * Asks the keeper of `store`.
 * @returns undefined when none listens
 * @throws HostError when the mount belongs to another user
 */
export async function askKeeper(store: string, question: Question): Promise<Answer | undefined> {
  let socket: Socket;
  try {
    socket = await connected(store);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') {
      throw new HostError(`the store ${store} belongs to another user; run this as root`);
    }
    return undefined;
  }
  return await new Promise((resolve) => {
    const control = new Control<Question, Answer>(
      socket,
      (answer) => {
        resolve(answer);
        control.destroy();
      },
      () => resolve(undefined),
    );
    control.send(question);
  });
}

function connected(store: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = withPath(store, (path) => createConnection(path));
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}
