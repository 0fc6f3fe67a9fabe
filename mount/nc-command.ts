import { closeSync, openSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { errorText } from './error-text.ts';
import { HostError } from './host-error.ts';
import { TreeConnection } from './tree-connection.ts';
import { UsageError } from './usage.ts';
import { whichMount } from './which-mount.ts';

const PIECE_BYTES = 65536;
const STDOUT = 1;

/**
 * `holdfast nc [--mount MOUNTPOINT] HOST PORT`: connects, sends what comes from standard input, and prints what the peer sends. The end
 * of either is passed on, and the other direction goes on.
 */
export async function ncCommand(argv: readonly string[]): Promise<void> {
  const { mountpoint, host, port } = parse(argv);
  const peer = `${host} port ${port}`;
  const connection = await connected(mountpoint, `${host}!${port}`).catch((error) => {
    throw new HostError(`cannot connect to ${peer}: ${errorText(error)}`);
  });
  // Two open files, for not every driver lets one be read and written at the same time.
  const [incoming, outgoing] = [await connection.stream(), await connection.stream()];
  try {
    await Promise.all([print(incoming), send(outgoing, connection)]);
  } catch (error) {
    throw new HostError(`the connection to ${peer} has failed: ${errorText(error)}`);
  }
}

async function connected(mountpoint: string, address: string): Promise<TreeConnection> {
  const connection = await TreeConnection.make(mountpoint);
  await connection.command(`connect ${address}`);
  return connection;
}

async function print(stream: FileHandle): Promise<void> {
  const piece = Buffer.alloc(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await stream.read(piece, 0, PIECE_BYTES, null);
    if (bytesRead === 0) break;
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(piece.subarray(0, bytesRead), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }
  // Whoever reads our output is to see its end while we still send. Node looks for a standard output when it exits.
  closeSync(STDOUT);
  openSync('/dev/null', 'w');
}

async function send(stream: FileHandle, connection: TreeConnection): Promise<void> {
  try {
    for await (const bytes of process.stdin) await writeAll(stream, bytes as Buffer);
    await connection.command('shutdown wr');
  } catch (error) {
    // The peer wants nothing more: what it has to say can still be read.
    if (!['EPIPE', 'ENOTCONN'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

async function writeAll(stream: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await stream.write(bytes, written, bytes.length - written, null);
    written += bytesWritten;
  }
}

function parse(argv: readonly string[]): { mountpoint: string; host: string; port: string } {
  const { values, positionals } = parsed(argv);
  const [host, port, ...rest] = positionals;
  if (host === undefined || port === undefined || rest.length > 0) {
    throw new UsageError('nc takes a host and a port');
  }
  return { mountpoint: whichMount(values.mount), host, port };
}

function parsed(argv: readonly string[]) {
  try {
    const options = { mount: { type: 'string' } } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
