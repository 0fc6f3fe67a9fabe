import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatAddress, parseAddress, parseCidr } from '../tcp/address.ts';
import { IPV6_MIN_MTU } from '../tcp/wire/ipv6.ts';
import { type Config, DRIVER_NAMES, type DriverName } from './config.ts';
import { UsageError } from './usage.ts';

/** IFNAMSIZ less the NUL (linux/if.h). */
const LONGEST_INTERFACE_NAME = 15;
/** RFC 791: every host takes 576 bytes; we do not offer less. */
const SMALLEST_MTU = 576;
const LARGEST_MTU = 65535;
/** Room for some tens of connections. */
const SMALLEST_MEMORY = 1 << 20;

/** The stack's own. */
export const DEFAULT_ADDRESS = '10.7.0.2/24';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** `mount`'s command line, resolved and checked. */
export interface MountOptions {
  readonly config: Config;
  readonly daemon: boolean;
}

/**
 * @param argv what follows `mount` on the command line
 * @throws UsageError
 */
export function parseMountOptions(argv: readonly string[]): MountOptions {
  const { values, positionals } = parse(argv);
  if (positionals.length > 1) throw new UsageError(`one mountpoint only, not ${positionals[1]}`);
  const mountpoint = resolve(positionals[0] ?? 'net');
  const store = resolve(values.store ?? `${mountpoint}.store`);
  if (store === mountpoint || store.startsWith(`${mountpoint}/`)) {
    throw new UsageError('the store cannot lie inside the mountpoint');
  }
  const own = ipv4Cidr('--address', values.address ?? DEFAULT_ADDRESS);
  const host = ipv4Cidr('--host-address', values['host-address'] ?? '10.7.0.1/24');
  if (own.address === host.address) {
    throw new UsageError('--address and --host-address are two different addresses');
  }
  const ipv6 = bothEnds6(values.address6, values['host-address6']);
  const driver = oneOf('--driver', values.driver ?? 'direct', DRIVER_NAMES);
  const logFile = values['log-file'] ?? (values.daemon ? `${mountpoint}.log` : undefined);
  return {
    daemon: values.daemon ?? false,
    config: {
      driver,
      allowOther: allowOther(values['allow-other'], driver),
      mountpoint,
      store,
      address: own.address,
      prefix: own.prefix,
      hostAddress: `${host.address}/${host.prefix}`,
      ...ipv6,
      tun: interfaceName('--tun', values.tun ?? 'holdfast0'),
      mtu: mtu(values.mtu, ipv6 !== undefined),
      offload: oneOf('--offload', values.offload ?? 'on', ['on', 'off']) === 'on',
      memory: memory(values.memory),
      ...userLimits(values['user-connections'], values['user-buffer-bytes']),
      durability: oneOf('--durability', values.durability ?? 'process', ['process', 'power']),
      acceptRollback: values['accept-rollback'] ?? false,
      ...(values.freeze && { freeze: true }),
      afterCrash: values['after-crash'] ?? false,
      logLevel: oneOf('--log-level', values['log-level'] ?? 'warn', LOG_LEVELS),
      ...(values.resolver !== undefined && { resolver: resolverAddress(values.resolver) }),
      ...(logFile !== undefined && { logFile: resolve(logFile) }),
    },
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        driver: { type: 'string' },
        'allow-other': { type: 'string' },
        store: { type: 'string' },
        address: { type: 'string' },
        'host-address': { type: 'string' },
        address6: { type: 'string' },
        'host-address6': { type: 'string' },
        resolver: { type: 'string' },
        tun: { type: 'string' },
        mtu: { type: 'string' },
        offload: { type: 'string' },
        memory: { type: 'string' },
        'user-connections': { type: 'string' },
        'user-buffer-bytes': { type: 'string' },
        durability: { type: 'string' },
        'accept-rollback': { type: 'boolean' },
        freeze: { type: 'boolean' },
        'after-crash': { type: 'boolean' },
        daemon: { type: 'boolean' },
        'log-level': { type: 'string' },
        'log-file': { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** An address as the rest of the program writes it, and how many of its first bits name the network. */
interface Cidr {
  readonly address: string;
  readonly prefix: number;
}

export function ipv4Cidr(option: string, text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined || !parsed.address.isIpv4) {
    throw new UsageError(`${option} is an IPv4 address with a prefix, as 10.7.0.2/24, not ${text}`);
  }
  return { address: formatAddress(parsed.address), prefix: parsed.prefix };
}

export function ipv6Cidr(option: string, text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined || parsed.address.isIpv4) {
    throw new UsageError(
      `${option} is an IPv6 address with a prefix, as fd00:7::2/64, not ${text}`,
    );
  }
  return { address: formatAddress(parsed.address), prefix: parsed.prefix };
}

function bothEnds6(
  own: string | undefined,
  host: string | undefined,
): { address6: string; hostAddress6: string } | undefined {
  if (own === undefined && host === undefined) return undefined;
  if (own === undefined || host === undefined) {
    throw new UsageError('--address6 and --host-address6 are given together');
  }
  const ownEnd = ipv6Cidr('--address6', own);
  const hostEnd = ipv6Cidr('--host-address6', host);
  if (ownEnd.address === hostEnd.address) {
    throw new UsageError('--address6 and --host-address6 are two different addresses');
  }
  return { address6: ownEnd.address, hostAddress6: `${hostEnd.address}/${hostEnd.prefix}` };
}

function resolverAddress(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) {
    throw new UsageError(`--resolver is the address of a name server, as 10.7.0.1, not ${text}`);
  }
  return formatAddress(address);
}

export function interfaceName(option: string, name: string): string {
  if (!/^[^\s/:]+$/.test(name) || Buffer.byteLength(name) > LONGEST_INTERFACE_NAME) {
    throw new UsageError(`${option} is the name of an interface, at most 15 bytes, not ${name}`);
  }
  return name;
}

export function mtu(text = '1500', hasIpv6 = false): number {
  const smallest = hasIpv6 ? IPV6_MIN_MTU : SMALLEST_MTU;
  const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= smallest && value <= LARGEST_MTU)) {
    throw new UsageError(`--mtu is a number from ${smallest} to ${LARGEST_MTU}, not ${text}`);
  }
  return value;
}

/** Without the option an eighth of the host's, about what Linux lets its own TCP have (net.ipv4.tcp_mem). */
function memory(text: string | undefined): number {
  if (text === undefined) return Math.max(SMALLEST_MEMORY, Math.floor(totalmem() / 8));
  return size('--memory', text);
}

function size(option: string, text: string): number {
  const [, digits, unit = ''] = /^([0-9]{1,16})([KMG]?)$/.exec(text) ?? [];
  const value = Number(digits) * 1024 ** ' KMG'.indexOf(unit || ' ');
  if (!(value >= SMALLEST_MEMORY && Number.isSafeInteger(value))) {
    throw new UsageError(`${option} is a number of bytes, as 256M or 2G, at least 1M, not ${text}`);
  }
  return value;
}

/** libfuse 2 does not say who asks for what, so nobody is to ask but who mounts. */
function allowOther(text: string | undefined, driver: DriverName): boolean {
  const isPossible = driver === 'direct';
  const isAllowed = oneOf('--allow-other', text ?? (isPossible ? 'on' : 'off'), ['on', 'off']);
  if (isAllowed === 'on' && !isPossible) {
    throw new UsageError(`--driver ${driver} cannot tell users apart: --allow-other is off`);
  }
  return isAllowed === 'on';
}

function userLimits(
  connections: string | undefined,
  bufferBytes: string | undefined,
): { userConnections?: number; userBufferBytes?: number } {
  if (connections !== undefined && !/^[1-9][0-9]{0,8}$/.test(connections)) {
    throw new UsageError(`--user-connections is a number from 1 on, not ${connections}`);
  }
  return {
    ...(connections !== undefined && { userConnections: Number(connections) }),
    ...(bufferBytes !== undefined && {
      userBufferBytes: size('--user-buffer-bytes', bufferBytes),
    }),
  };
}

function oneOf<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new UsageError(`${option} is one of ${choices.join(', ')}, not ${text}`);
  }
  return choice;
}
