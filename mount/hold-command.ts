import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StoreError } from '../persist/store-error.ts';
import { RecordError } from '../tcp/record-error.ts';
import { type AnsweringOptions, answerPeers } from './answering.ts';
import { HostError } from './host-error.ts';
import {
  DEFAULT_ADDRESS,
  interfaceName,
  ipv4Cidr,
  ipv6Cidr,
  mtu,
  parseMountOptions,
} from './mount-options.ts';
import { lockUnchanged } from './store-lock.ts';
import { configureTun, forgetTun, openTap, openTun, switchOn, tunExists } from './tun.ts';
import { UsageError } from './usage.ts';

/** What is held, and where. */
interface Hold
  extends Pick<
    AnsweringOptions,
    'store' | 'address' | 'prefix' | 'address6' | 'mtu' | 'offload' | 'isTap'
  > {
  /** The interface's. */
  readonly name: string;
  /** The host's on it, as `address/prefix`, for a TUN. */
  readonly hostAddresses: readonly string[];
}

/**
 * `holdfast hold STORE`: answers the peers of its connections, until SIGINT or SIGTERM, and changes nothing in the store. No daemon can
 * have it meanwhile.
 */
export async function holdCommand(argv: readonly string[]): Promise<void> {
  const hold = parse(argv);
  const { store, name, isTap, offload } = hold;
  // Held up to the end of the process.
  lockUnchanged(store);
  const wasThere = tunExists(name);
  const descriptor = isTap ? openTap(name) : openTun(name, offload);
  const end = (status: number) => {
    if (!wasThere) forgetTun(descriptor);
    process.exit(status);
  };
  try {
    // What a TAP is connected to is the host's to say.
    if (isTap) switchOn(name, hold.mtu);
    else configureTun(name, hold.hostAddresses, hold.mtu);
    const connections = answerPeers({
      ...{ ...hold, descriptor },
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
    process.stdout.write(`holdfast: holding ${connections} connections of ${store} on ${name}\n`);
  } catch (error) {
    if (!wasThere) forgetTun(descriptor);
    if (error instanceof StoreError || error instanceof RecordError) {
      throw new HostError(error.message);
    }
    throw error;
  }
}

/** What it takes of the options of `mount` has the meaning that it has there. */
function parse(argv: readonly string[]): Hold {
  const { values, positionals } = parseWords(argv);
  const [store, ...rest] = positionals;
  if (store === undefined || rest.length > 0) throw new UsageError('hold takes one store');
  const { tap, ...others } = values;
  const options = Object.entries(others).flatMap(([name, value]) => [`--${name}`, value]);
  if (tap === undefined) {
    const { config } = parseMountOptions(['--store', store, ...options]);
    const { tun: name, offload = false, hostAddress, hostAddress6 } = config;
    const hostAddresses = [hostAddress, ...(hostAddress6 === undefined ? [] : [hostAddress6])];
    return { ...config, name, offload, hostAddresses };
  }
  for (const option of ['tun', 'offload', 'host-address', 'host-address6'] as const) {
    if (values[option] !== undefined) throw new UsageError(`--${option} goes without --tap`);
  }
  const { address, prefix } = ipv4Cidr('--address', values.address ?? DEFAULT_ADDRESS);
  const address6 =
    values.address6 === undefined ? undefined : ipv6Cidr('--address6', values.address6).address;
  return {
    ...{ store: resolve(store), name: interfaceName('--tap', tap), isTap: true, offload: false },
    ...{ address, prefix, address6, hostAddresses: [] },
    mtu: mtu(values.mtu, address6 !== undefined),
  };
}

function parseWords(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...{ address: text, 'host-address': text, address6: text, 'host-address6': text },
        ...{ tun: text, tap: text, mtu: text, offload: text },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
