import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LONGEST_CONNECTION_FILE, readConnectionFile } from '../persist/connection-file.ts';
import { ErrnoError } from '../tcp/errno.ts';
import { RecordError } from '../tcp/record-error.ts';
import type { Addresses } from './closed-store.ts';
import { crashPoint } from './crash-point.ts';
import { HostError } from './host-error.ts';
import { DEFAULT_ADDRESS, ipv4Cidr, ipv6Cidr } from './mount-options.ts';
import { accessTree } from './tree-access.ts';
import { UsageError } from './usage.ts';

/** `holdfast import MOUNTPOINT|STORE < FILE`: the connection is this daemon's from then on. Says which one it is. */
export async function importCommand(argv: readonly string[]): Promise<void> {
  const { target, addresses } = parse(argv);
  if (process.stdin.isTTY) throw new HostError('the standard input is a terminal; read a file');
  const file = await standardInput();
  check(file);
  const tree = await accessTree(target, addresses);
  let name: string;
  try {
    crashPoint('before-import');
    name = await tree.ask('import', file);
    crashPoint('after-import');
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new HostError(`not imported: ${error.message} (${error.errno})`);
  } finally {
    await tree.close();
  }
  process.stdout.write(`holdfast: imported tcp/${name}\n`);
}

async function standardInput(): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > LONGEST_CONNECTION_FILE) break;
  }
  return Buffer.concat(pieces);
}

/** What is wrong with the file itself, nobody else need be asked. */
function check(file: Uint8Array): void {
  try {
    readConnectionFile(file);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new HostError(`not imported: ${error.message}`);
  }
}

function parse(argv: readonly string[]): { target: string; addresses: Addresses } {
  const { values, positionals } = parseWords(argv);
  const [target, ...rest] = positionals;
  if (target === undefined || rest.length > 0)
    throw new UsageError('import takes one mountpoint or store');
  const { address, prefix } = ipv4Cidr('--address', values.address ?? DEFAULT_ADDRESS);
  const address6 =
    values.address6 === undefined ? undefined : ipv6Cidr('--address6', values.address6).address;
  return {
    target: resolve(target),
    addresses: { address, prefix, ...(address6 !== undefined && { address6 }) },
  };
}

function parseWords(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { address: { type: 'string' }, address6: { type: 'string' } },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
