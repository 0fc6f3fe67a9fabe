import { fsyncSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ErrnoError } from '../tcp/errno.ts';
import { crashPoint } from './crash-point.ts';
import { HostError } from './host-error.ts';
import { accessTree, type TreeAccess } from './tree-access.ts';
import { UsageError } from './usage.ts';

/** A store does not know its addresses, and whoever gives a connection away need not have them (RFC 5737). */
const NOWHERE = { address: '192.0.2.1', prefix: 32 };

/**
 * `holdfast export MOUNTPOINT|STORE CONNECTION > FILE`: the connection is nobody's from then on, but for whoever has the file. Again, it
 * gives the same file. With `--forget` it is known to have come in elsewhere, and there is nothing more of it here.
 */
export async function exportCommand(argv: readonly string[]): Promise<void> {
  const { target, connection, forget } = parse(argv);
  if (!forget && process.stdout.isTTY)
    throw new HostError('the standard output is a terminal; write to a file');
  const tree = await accessTree(target, NOWHERE);
  let file: Buffer | undefined;
  try {
    if (forget) await forgetConnection(tree, connection);
    else file = await exportConnection(tree, connection);
  } finally {
    await tree.close();
  }
  if (file !== undefined) await writeOut(file);
}

async function exportConnection(tree: TreeAccess, name: string): Promise<Buffer> {
  const state = await stateOf(tree, name);
  try {
    crashPoint('before-export');
    await tree.write(`tcp/${name}/ctl`, 'export\n');
    crashPoint('after-export');
    return await tree.read(`tcp/${name}/export`);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new HostError(`tcp/${name} cannot be exported: ${whyNot(error, state)}`);
  }
}

function whyNot({ errno, message }: ErrnoError, state: string): string {
  switch (errno) {
    case 'ENOTCONN':
      return `it is no connection with a peer, it is ${state}`;
    case 'EOPNOTSUPP':
      return state === 'LISTEN' ? 'it is a listener' : 'its peer is here as well';
    case 'ENODATA':
      return 'it was, and then given up';
    default:
      return message;
  }
}

async function forgetConnection(tree: TreeAccess, name: string): Promise<void> {
  const state = await stateOf(tree, name);
  if (state !== 'MOVED') throw new HostError(`tcp/${name} was not exported; it is ${state}`);
  await tree.removeDirectory(`tcp/${name}`);
}

async function stateOf(tree: TreeAccess, name: string): Promise<string> {
  try {
    return (await tree.read(`tcp/${name}/state`)).toString().trimEnd();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new HostError(
      error.errno === 'ENOENT' ? `there is no connection tcp/${name}` : error.message,
    );
  }
}

/** The file is as good as the disk when this is over. */
async function writeOut(file: Buffer): Promise<void> {
  crashPoint('before-file');
  await new Promise<void>((written, failed) => {
    const fail = (error: Error) => failed(new HostError(`standard output: ${error.message}`));
    process.stdout.once('error', fail);
    process.stdout.write(file, (error) => (error ? fail(error) : written()));
  });
  crashPoint('after-file');
  try {
    fsyncSync(process.stdout.fd);
  } catch (error) {
    // A pipe has no disk behind it.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL')
      throw new HostError(`standard output: ${(error as Error).message}`);
  }
}

function parse(argv: readonly string[]): { target: string; connection: string; forget: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { forget: { type: 'boolean' } },
    });
    const [target, connection, ...rest] = positionals;
    if (target === undefined || connection === undefined || rest.length > 0)
      throw new Error('export takes a mountpoint or store, and a connection');
    const [, network, name] = /^(?:(tcp|udp)\/)?([^/]+)$/.exec(connection) ?? [];
    if (name === undefined) throw new Error(`${connection} is no name of a connection`);
    if (network === 'udp') throw new Error('a UDP socket is no connection, and cannot be exported');
    return { target: resolve(target), connection: name, forget: values.forget ?? false };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
