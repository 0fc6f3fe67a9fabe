import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../seeded.ts';
import { until } from './condition.ts';
import { type Daemon, HOST, STACK } from './daemon.ts';
import { Keystream } from './keystream.ts';
import type { Shell } from './shell.ts';

/** One byte, less and more than a segment, a page, a READ, the buffers. */
const SIZES = [1, 999, 1461, 65_537, 262_143, 1_048_583, 3_000_017];

/** The host echoes at these: one program for each. */
const ECHO_PORTS = { socat: 9000, python3: 9001 } as const;

/** The mount echoes from here on: one listener for each of `READERS`. */
const FIRST_PORT = 8080;

const FILL_PYTHON = `
import os, sys
source, data = sys.stdin.buffer, os.open(sys.argv[1], os.O_WRONLY)
size = 1
while piece := source.read(size):
    while piece:
        piece = piece[os.write(data, piece):]
    size = size * 7 % 70001
`;

/** Waits in poll(2), so that a death takes the wake-up with it. */
const DRAIN_PYTHON = `
import os, select, sys
data = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
poll = select.poll()
poll.register(data, select.POLLIN)
size = 3
while True:
    poll.poll()
    try:
        piece = os.read(data, size)
    except BlockingIOError:
        continue
    if not piece:
        break
    sys.stdout.buffer.write(piece)
    size = size * 7 % 70001
`;

const ECHO_PYTHON = `
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while piece := self.request.recv(12345):
            self.request.sendall(piece)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64
with Server(("${HOST}", ${ECHO_PORTS.python3}), Echo) as server:
    server.serve_forever()
`;

const CALL_PYTHON = `
import socket, sys, threading
with socket.create_connection(("${STACK}", int(sys.argv[1]))) as peer:
    def send():
        peer.sendall(open(sys.argv[2], "rb").read())
        peer.shutdown(socket.SHUT_WR)
    sender = threading.Thread(target=send)
    sender.start()
    while piece := peer.recv(54321):
        sys.stdout.buffer.write(piece)
    sender.join()
`;

const python = (program: string) => `python3 -c '${program}'`;

/** From standard input to `data` of the connection `$c`. */
const WRITERS = [
  'cat > $c/data',
  'dd of=$c/data bs=10007 status=none',
  'socat -u -b 7001 - OPEN:$c/data,wronly',
  `${python(FILL_PYTHON)} $c/data`,
];

/** From there to standard output. */
const READERS = [
  'cat $c/data',
  'dd if=$c/data bs=7919 status=none',
  'socat -u -b 5003 OPEN:$c/data,rdonly -',
  `${python(DRAIN_PYTHON)} $c/data`,
];

/** The host's programs that call `$port`, send `$file`, and print what comes back. */
const CALLERS = [
  `socat -t 600 -b 3001 STDIO TCP:${STACK}:$port < $file`,
  `nc -N ${STACK} $port < $file`,
  `${python(CALL_PYTHON)} $port $file`,
];

interface File {
  readonly name: string;
  readonly size: number;
  readonly hash: string;
}

/** Programs on both sides that send each other files again and again, by connections that either side opens. */
export class Traffic {
  /** Bytes that have come back to where they came from, once for each way. */
  bytes = 0;
  connections = 0;
  /** Programs that said or ended with what they should not have. */
  errors = 0;
  mismatches = 0;
  readonly #daemon: Daemon;
  readonly #random: Random;
  readonly #files: readonly File[];
  readonly #report: (trouble: string) => void;
  readonly #servers: Shell[] = [];
  #isEnding = false;

  /** @param report is told of each error and mismatch */
  constructor(daemon: Daemon, random: Random, seed: number, report: (trouble: string) => void) {
    this.#daemon = daemon;
    this.#random = random;
    this.#report = report;
    this.#files = SIZES.map((size) => {
      const name = `file${size}`;
      const bytes = new Keystream(`${seed} ${name}`).bytes(size);
      writeFileSync(join(daemon.directory, name), bytes);
      return { name, size, hash: createHash('sha256').update(bytes).digest('hex') };
    });
  }

  /** Starts what is called. */
  async serve(): Promise<void> {
    const daemon = this.#daemon;
    const { socat } = ECHO_PORTS;
    this.#servers.push(
      daemon.shell(`exec socat -t 600 TCP-LISTEN:${socat},bind=${HOST},reuseaddr,fork EXEC:cat`),
      daemon.shell(`exec ${python(ECHO_PYTHON)}`),
    );
    for (const [i, reader] of READERS.entries()) {
      const server = daemon.shell(`
        set -e -o pipefail
        mkdir net/tcp/srv${i}
        echo ${STACK}:${FIRST_PORT + i} > net/tcp/srv${i}/bind
        echo 16 > net/tcp/srv${i}/listen
        echo listening
        while c=net/tcp/$(cat net/tcp/srv${i}/accept); do
          ${reader} | ${WRITERS[i]}
          echo close > $c/ctl
        done
      `);
      this.#servers.push(server);
      await server.printed(/^listening$/m);
    }
    for (const port of Object.values(ECHO_PORTS)) {
      await until(async () => (await daemon.run(`ss -Hltn sport = :${port}`)).stdout !== '');
    }
  }

  /** Calls from both sides, `callers` at a time from each, until `end`. */
  async run(callers: number): Promise<void> {
    const work = async (exchange: (worker: number) => Promise<void>, worker: number) => {
      while (!this.#isEnding) await exchange(worker);
    };
    await Promise.all(
      Array.from({ length: callers }, (_, worker) => [
        work((worker) => this.#callOut(worker), worker),
        work(() => this.#callIn(), worker),
      ]).flat(),
    );
    for (const { process, stderr } of this.#servers) {
      if (process.exitCode !== null || stderr !== '')
        this.#error(`a server ended with ${process.exitCode}: ${stderr}`);
    }
  }

  /** Has every call that has begun come to its end, and no other begin. */
  end(): void {
    this.#isEnding = true;
  }

  /** From the mount to the host, which echoes. */
  async #callOut(worker: number): Promise<void> {
    const file = this.#any(this.#files);
    const port = this.#any(Object.values(ECHO_PORTS));
    const [reader, writer] = [this.#any(READERS), this.#any(WRITERS)];
    await this.#exchange(
      file,
      `
        set -e -o pipefail
        c=net/tcp/call${worker}
        mkdir $c
        echo ${HOST}:${port} > $c/connect
        { ${writer} < ${file.name} && echo shutdown wr > $c/ctl; } & writing=$!
        ${reader} | sha256sum
        wait $writing
        rmdir $c
      `,
    );
  }

  /** From the host to the mount, which echoes. */
  async #callIn(): Promise<void> {
    const file = this.#any(this.#files);
    const port = FIRST_PORT + this.#random(READERS.length);
    await this.#exchange(
      file,
      `
        set -e -o pipefail
        port=${port} file=${file.name}
        ${this.#any(CALLERS)} | sha256sum
      `,
    );
  }

  async #exchange({ name, size, hash }: File, script: string): Promise<void> {
    const { status, stdout, stderr } = await this.#daemon.run(script);
    this.connections++;
    this.bytes += 2 * size;
    if (status !== 0 || stderr !== '') {
      this.#error(`${status} ${stderr}: ${name}\n${script}`);
    } else if (!stdout.startsWith(hash)) {
      this.mismatches++;
      this.#report(`not what was sent: ${name}\n${script}`);
    }
  }

  #error(trouble: string): void {
    this.errors++;
    this.#report(trouble);
  }

  #any<T>(list: readonly T[]): T {
    return list[this.#random(list.length)]!;
  }
}
