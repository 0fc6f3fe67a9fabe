import { spawn } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseEndpoint } from '../tcp/address.ts';
import { errorText } from './error-text.ts';
import { HostError } from './host-error.ts';
import { TreeConnection } from './tree-connection.ts';
import { UsageError } from './usage.ts';
import { whichMount } from './which-mount.ts';

/** What the command line asks for. */
interface Service {
  readonly mountpoint: string;
  /** What to listen at: a port, or an address. */
  readonly address: string;
  readonly program: string;
  readonly words: readonly string[];
}

/**
 * `holdfast serve [--mount MOUNTPOINT] PORT -- PROGRAM [ARGUMENT...]`: listens, and runs the program for each connection, which is
 * its standard input and output, as inetd(8) does.
 */
export async function serveCommand(argv: readonly string[]): Promise<void> {
  const service = parse(argv);
  const listener = await listening(service).catch((error) => {
    throw new HostError(`cannot listen at ${service.address}: ${errorText(error)}`);
  });
  for (;;) {
    const name = await readFile(join(listener.directory, 'accept'), 'utf8').catch((error) => {
      throw new HostError(`nobody can connect any more: ${errorText(error)}`);
    });
    await serve(join(service.mountpoint, 'tcp', name.trim()), service);
  }
}

async function listening({ mountpoint, address }: Service): Promise<TreeConnection> {
  const listener = await TreeConnection.make(mountpoint);
  await listener.command(`announce ${address}`);
  return listener;
}

/** Starts the program. The connection is closed with the last descriptor that it and what it starts have of it. */
async function serve(connection: string, { program, words }: Service): Promise<void> {
  try {
    await using stream = await open(join(connection, 'data'), 'r+');
    await writeFile(join(connection, 'ctl'), 'autoclose on');
    const child = spawn(program, words, {
      stdio: [stream.fd, stream.fd, 'inherit'],
      env: { ...process.env, ...(await environment(connection)) },
    });
    child.on('error', (error) =>
      process.stderr.write(`holdfast: cannot run ${program}: ${errorText(error)}\n`),
    );
  } catch (error) {
    // Its caller may have been gone before we came to it.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ESTALE') throw error;
  }
}

/** Who talks to whom, by the names of UCSPI, which tcpserver and others use. */
async function environment(connection: string): Promise<Record<string, string>> {
  const end = async (name: string) =>
    parseEndpoint((await readFile(join(connection, name), 'utf8')).trim());
  const [local, remote] = [await end('local'), await end('remote')];
  return {
    PROTO: 'TCP',
    TCPLOCALIP: local?.address ?? '',
    TCPLOCALPORT: `${local?.port ?? ''}`,
    TCPREMOTEIP: remote?.address ?? '',
    TCPREMOTEPORT: `${remote?.port ?? ''}`,
  };
}

function parse(argv: readonly string[]): Service {
  const end = argv.indexOf('--');
  const [program, ...words] = end < 0 ? [] : argv.slice(end + 1);
  const { values, positionals } = parsed(end < 0 ? argv : argv.slice(0, end));
  const [address, ...rest] = positionals;
  if (address === undefined || rest.length > 0 || program === undefined) {
    throw new UsageError('serve takes a port, and behind -- a program');
  }
  return { mountpoint: whichMount(values.mount), address, program, words };
}

function parsed(argv: readonly string[]) {
  try {
    const options = { mount: { type: 'string' } } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
