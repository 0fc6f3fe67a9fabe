import { readFileSync } from 'node:fs';
import type { Daemon } from './daemon.ts';
import type { Shell } from './shell.ts';

/** One system call each, with bytes as Latin-1, so that a test knows which requests it makes of the mount. */
const PROGRAM = `
import json, os, select, sys
def poll(fd, events):
    poller = select.poll()
    poller.register(fd, events)
    return [ready for _, ready in poller.poll(0)]
calls = {
    "open": lambda path, flags: os.open(path, flags),
    "read": lambda fd, size: os.read(fd, size).decode("latin1"),
    "write": lambda fd, text: os.write(fd, text.encode("latin1")),
    "close": lambda fd: os.close(fd),
    "mkdir": lambda path: os.mkdir(path),
    "rmdir": lambda path: os.rmdir(path),
    "chmod": lambda path, mode: os.chmod(path, mode),
    "poll": poll,
}
while line := sys.stdin.readline():
    name, *arguments = json.loads(line)
    try:
        answer = calls[name](*arguments)
    except OSError as error:
        answer = os.strerror(error.errno)
    print(json.dumps(answer), flush=True)
`;

/** On x86-64 and on arm64 (asm-generic/unistd.h). */
const SYS_read = process.arch === 'x64' ? 0 : 63;

type Answer = number | string | number[] | null;

/** A program that makes one system call after the other, as it is told. */
export class Caller {
  readonly #shell: Shell;
  #answers = 0;

  constructor(daemon: Daemon) {
    this.#shell = daemon.shell(`exec python3 -c '${PROGRAM}'`, 'pipe');
  }

  /** Whether it waits in read(2) of `descriptor`. */
  isReading(descriptor: number): boolean {
    const syscall = readFileSync(`/proc/${this.#shell.pid}/syscall`, 'utf8');
    return syscall.startsWith(`${SYS_read} 0x${descriptor.toString(16)} `);
  }

  /** @returns what the call gave, or what strerror(3) says of its error */
  async call(name: string, ...args: (string | number)[]): Promise<Answer> {
    this.#shell.process.stdin!.write(`${JSON.stringify([name, ...args])}\n`);
    this.#answers++;
    const answers = new RegExp(`^(?:.*\\n){${this.#answers - 1}}(.*)\\n`);
    return JSON.parse((await this.#shell.printed(answers))[1]!) as Answer;
  }

  async open(path: string, flags: number): Promise<number> {
    const answer = await this.call('open', path, flags);
    if (typeof answer !== 'number') throw new Error(`open ${path}: ${answer}`);
    return answer;
  }
}
