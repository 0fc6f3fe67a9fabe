import { parseArgs } from 'node:util';
import { StoreError } from '../persist/store-error.ts';
import { RecordError } from '../tcp/record-error.ts';
import { answerPeers } from './answering.ts';
import type { Config } from './config.ts';
import { HostError } from './host-error.ts';
import { parseMountOptions } from './mount-options.ts';
import { lockUnchanged } from './store-lock.ts';
import { configureTun, forgetTun, openTun, tunExists } from './tun.ts';
import { UsageError } from './usage.ts';

/**
 * `holdfast hold STORE`: answers the peers of its connections, until SIGINT or SIGTERM, and changes nothing in the store. No daemon can
 * have it meanwhile.
 */
export async function holdCommand(argv: readonly string[]): Promise<void> {
  const config = parse(argv);
  // Held up to the end of the process.
  lockUnchanged(config.store);
  const { tun, mtu, store, address, prefix, address6, hostAddress, hostAddress6 } = config;
  const offload = config.offload === true;
  const wasThere = tunExists(tun);
  const descriptor = openTun(tun, offload);
  const end = (status: number) => {
    if (!wasThere) forgetTun(descriptor);
    process.exit(status);
  };
  try {
    configureTun(
      tun,
      hostAddress6 === undefined ? [hostAddress] : [hostAddress, hostAddress6],
      mtu,
    );
    const connections = answerPeers({
      ...{ store, descriptor, offload, address, prefix, address6, mtu },
      onShut: () => {},
      onRevoked: () => {
        process.stderr.write(
          `holdfast: the store ${store} is in use: nobody is answered any more\n`,
        );
        end(1);
      },
    });
    process.on('SIGINT', () => end(0));
    process.on('SIGTERM', () => end(0));
    process.stdout.write(`holdfast: holding ${connections} connections of ${store} on ${tun}\n`);
  } catch (error) {
    if (!wasThere) forgetTun(descriptor);
    if (error instanceof StoreError || error instanceof RecordError) {
      throw new HostError(error.message);
    }
    throw error;
  }
}

/** What it takes of the options of `mount` has the meaning that it has there. */
function parse(argv: readonly string[]): Config {
  const text = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...{ address: text, 'host-address': text, address6: text, 'host-address6': text },
        ...{ tun: text, mtu: text, offload: text },
      },
    });
    const [store, ...rest] = positionals;
    if (store === undefined || rest.length > 0) throw new Error('hold takes one store');
    const options = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
    return parseMountOptions(['--store', store, ...options]).config;
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}
