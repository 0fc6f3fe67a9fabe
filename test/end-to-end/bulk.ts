import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { formatEndpoint } from '../../tcp/address.ts';
import { until } from './condition.ts';
import { type Daemon, HOST } from './daemon.ts';
import { Keystream } from './keystream.ts';
import { accept, listen } from './peer.ts';
import type { Ended } from './shell.ts';

export const MIB = 1024 * 1024;
/** What the peer hands to its kernel at a time. */
const PIECE = 256 * 1024;

/** How far the peer may send and read; the transfer waits there until it is opened further. */
export class Gate {
  #limit = 0;
  #waiting: (() => void)[] = [];

  open(limit: number): void {
    this.#limit = limit;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Resolves when `position` lies before the limit. */
  async pass(position: number): Promise<void> {
    while (position >= this.#limit) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** What became of a transfer of `size` bytes each way at once. */
export interface Transferred {
  /** SHA-256 of what the program on the mount wrote and what the peer got. */
  readonly outbound: { readonly wrote: string; readonly got: string };
  /** SHA-256 of what the peer sent and what the program on the mount read. */
  readonly inbound: { readonly sent: string; readonly read: string };
  readonly writer: Ended;
  readonly reader: Ended;
}

/** Asserts that no program saw an error, and that every byte came through. */
export function cameThrough(t: Test, { outbound, inbound, writer, reader }: Transferred): void {
  t.hasStrict(writer, { status: 0, stderr: '' }, 'the program that writes saw no error');
  t.hasStrict(reader, { status: 0, stderr: '' }, 'the program that reads saw no error');
  t.equal(outbound.got, outbound.wrote, 'what the peer got is what was written');
  t.equal(inbound.read, inbound.sent, 'what was read is what the peer sent');
}

/**
 * A transfer of pseudo-random bytes each way at once, between cat(1) on `data` of a connection and the
 * kernel's TCP in this process.
 */
export class Bulk {
  /** Bytes that the peer has sent and received so far. */
  sent = 0;
  received = 0;
  readonly #daemon: Daemon;
  readonly #name: string;
  readonly #size: number;
  readonly #seed: number;

  constructor(daemon: Daemon, name: string, size: number, seed: number) {
    this.#daemon = daemon;
    this.#name = name;
    this.#size = size;
    this.#seed = seed;
  }

  /** Both directions together. */
  get progress(): number {
    return this.sent + this.received;
  }

  /** Resolves when `progress` bytes of both directions together have gone through. */
  async untilProgress(progress: number): Promise<void> {
    await until(() => this.progress >= progress);
  }

  /** @param host the address that the peer listens at */
  async run(port: number, gate: Gate, host: string = HOST): Promise<Transferred> {
    const daemon = this.#daemon;
    const connection = `net/tcp/${this.#name}`;
    const file = `${this.#name}.random`;
    const wrote = await this.#generate(join(daemon.directory, file));
    const peer = formatEndpoint({ address: host, port });
    const server = await listen(host, port);
    const [socket, opened] = await Promise.all([
      accept(server),
      daemon.run(`mkdir ${connection} && echo ${peer} > ${connection}/connect`),
    ]);
    if (opened.status !== 0) throw new Error(`connect: ${JSON.stringify(opened)}`);
    server.close();

    const reader = daemon.run(`set -o pipefail; cat ${connection}/data | sha256sum`);
    const writer = daemon
      .run(`cat ${file} > ${connection}/data`)
      .then(async (ended) => ({ ended, closed: await this.#closeAfter(reader, connection) }));
    const [sent, got] = await Promise.all([this.#send(socket, gate), this.#receive(socket, gate)]);
    const { ended: wroteAll, closed } = await writer;
    if (closed.status !== 0) throw new Error(`close: ${JSON.stringify(closed)}`);
    const readAll = await reader;
    return {
      outbound: { wrote, got },
      inbound: { sent, read: readAll.stdout.split(' ')[0]! },
      writer: wroteAll,
      reader: readAll,
    };
  }

  async #generate(path: string): Promise<string> {
    const random = new Keystream(`${this.#seed} ${this.#name} outbound`);
    const hash = createHash('sha256');
    const file = createWriteStream(path);
    for (let position = 0; position < this.#size; position += MIB) {
      const bytes = random.bytes(Math.min(MIB, this.#size - position));
      hash.update(bytes);
      if (!file.write(bytes)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
    return hash.digest('hex');
  }

  /** The program that reads ends with the peer's FIN; only then is nobody cut short by the close. */
  async #closeAfter(reader: Promise<Ended>, connection: string): Promise<Ended> {
    await reader;
    return await this.#daemon.run(`echo close > ${connection}/ctl`);
  }

  async #send(socket: Socket, gate: Gate): Promise<string> {
    const random = new Keystream(`${this.#seed} ${this.#name} inbound`);
    const hash = createHash('sha256');
    while (this.sent < this.#size) {
      await gate.pass(this.progress);
      const bytes = random.bytes(Math.min(PIECE, this.#size - this.sent));
      hash.update(bytes);
      if (!socket.write(bytes)) await once(socket, 'drain');
      this.sent += bytes.length;
    }
    socket.end();
    return hash.digest('hex');
  }

  async #receive(socket: Socket, gate: Gate): Promise<string> {
    const hash = createHash('sha256');
    for await (const bytes of socket) {
      hash.update(bytes);
      this.received += bytes.length;
      await gate.pass(this.progress);
    }
    return hash.digest('hex');
  }
}
