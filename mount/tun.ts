import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { HostError } from './host-error.ts';
import { ioctl, SystemCallError } from './system-calls.ts';
import { VIRTIO_HEADER_LENGTH } from './virtio-header.ts';

/** From linux/if_tun.h and linux/if.h. */
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const IFF_TUN = 0x0001;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** What whoever reads the TUN can take: unfinished checksums, and segments that are larger than a packet. */
const TUN_F_CSUM = 0x01;
const TUN_F_TSO4 = 0x02;
const TUN_F_TSO6 = 0x04;
const IFNAMSIZ = 16;
/** sizeof(struct ifreq) on 64-bit hosts. */
const IFREQ_SIZE = 40;

type Kind = 'tun' | 'tap';

const FLAGS: Readonly<Record<Kind, number>> = { tun: IFF_TUN, tap: IFF_TAP };

/**
 * Opens the TUN interface `name`, and makes it if it is not there. Where the host allows it the interface outlives the
 * descriptor: an interface that vanishes under a connection makes the host tell the peer that it is unreachable.
 * @param offload whether a `VirtioHeader` stands before each packet: the host may then leave checksums and the cutting of large
 *   segments to whom it sends them, and so may we
 * @returns a descriptor: one packet for each read and write, nothing else before the IP header; non-blocking, close-on-exec
 * @throws HostError
 */
export function openTun(name: string, offload = false): number {
  return openInterface('tun', name, offload);
}

/**
 * The same for a TAP interface: each read and write is an Ethernet frame.
 * @throws HostError
 */
export function openTap(name: string): number {
  return openInterface('tap', name, false);
}

function openInterface(kind: Kind, name: string, offload: boolean): number {
  if (Buffer.byteLength(name) >= IFNAMSIZ) {
    throw new HostError(`the name of the interface, ${name}, is too long; 15 letters are the most`);
  }
  const descriptor = openDevice();
  try {
    attach(descriptor, kind, name, offload);
    setOffload(descriptor, offload);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  try {
    ioctl(descriptor, TUNSETPERSIST, 1);
  } catch {
    // Not allowed here; then it lives as long as the descriptor.
  }
  return descriptor;
}

function openDevice(): number {
  try {
    // Node adds O_CLOEXEC to every open.
    return openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV') {
      throw new HostError('/dev/net/tun is not there; run "modprobe tun" as root');
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw new HostError('/dev/net/tun may not be opened by this user; run as root');
    }
    throw new HostError(`/dev/net/tun cannot be opened: ${message}`);
  }
}

function attach(descriptor: number, kind: Kind, name: string, offload: boolean): void {
  const request = Buffer.alloc(IFREQ_SIZE);
  request.write(name, 0);
  request.writeUInt16LE(FLAGS[kind] | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0), IFNAMSIZ);
  try {
    ioctl(descriptor, TUNSETIFF, request);
  } catch (error) {
    switch ((error as SystemCallError).code) {
      case 'EBUSY':
        throw new HostError(
          `the interface ${name} is in use by another process; use another --${kind}`,
        );
      case 'EPERM':
        throw new HostError(`no permission to use the interface ${name}; run as root`);
      case 'EINVAL':
        throw new HostError(
          `the interface ${name} is there, but it is no ${kind.toUpperCase()} that can be used; use another --${kind}`,
        );
      default:
        throw new HostError(`the interface ${name} cannot be used: ${(error as Error).message}`);
    }
  }
}

/** A persistent interface has what was set the last time. */
function setOffload(descriptor: number, offload: boolean): void {
  if (offload) {
    const size = Buffer.alloc(4);
    size.writeInt32LE(VIRTIO_HEADER_LENGTH);
    ioctl(descriptor, TUNSETVNETHDRSZ, size);
  }
  ioctl(descriptor, TUNSETOFFLOAD, offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0);
}

/** Gives up the persistence that `openTun` asked for: the interface goes with its last descriptor. */
export function forgetTun(descriptor: number): void {
  try {
    ioctl(descriptor, TUNSETPERSIST, 0);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
  }
}

/** Whether the host has an interface of this name. */
export function tunExists(name: string): boolean {
  // Not /sys/class/net, which may show another network namespace than this process is in.
  return readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .some((line) => line.trimStart().startsWith(`${name}:`));
}

/**
 * Packets that may wait for the engine. The interface drops what comes beyond, so this has to hold what the windows of several
 * connections let their peers send at once; the default, 500, is less than one window of 1 MiB.
 */
const QUEUE_LENGTH = 10_000;

interface LinkAddresses {
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly scope?: string;
    readonly family?: string;
  }[];
}

/**
 * Gives the host its end of the interface, and switches it on. Whatever is set as wanted already stays untouched, so that traffic goes on.
 * @param hostAddresses the host's addresses on it, as `address/prefix`; others are taken off, but for IPv6's link-local one
 * @param mtu bytes of the largest packet
 * @throws HostError
 */
export function configureTun(name: string, hostAddresses: readonly string[], mtu: number): void {
  const [link] = JSON.parse(ip('-json', 'address', 'show', 'dev', name) || '[]') as LinkAddresses[];
  const present = (link?.addr_info ?? [])
    .filter(({ family, scope }) => family !== 'inet6' || scope !== 'link')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  switchOn(name, mtu);
  for (const other of present) {
    if (!hostAddresses.includes(other)) ip('address', 'delete', other, 'dev', name);
  }
  for (const address of hostAddresses) {
    // An IPv6 address is of use at once: nobody on this link could have the same (RFC 4862 section 5.4).
    const flags = address.includes(':') ? ['nodad'] : [];
    if (!present.includes(address)) ip('address', 'add', address, 'dev', name, ...flags);
  }
}

/**
 * Switches on an interface on which the host need not have an address.
 * @param mtu bytes of the largest packet
 * @throws HostError
 */
export function switchOn(name: string, mtu: number): void {
  ip('link', 'set', 'dev', name, 'mtu', String(mtu), 'txqueuelen', String(QUEUE_LENGTH), 'up');
}

/**
 * Takes the interface off the host, whether or not a process has it.
 * @throws HostError
 */
export function removeTun(name: string): void {
  ip('link', 'delete', 'dev', name);
}

function ip(...words: string[]): string {
  try {
    return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') {
      throw new HostError('the program "ip" is not there; install the package iproute2');
    }
    throw new HostError(`"ip ${words.join(' ')}" failed: ${(stderr ?? '').trim()}`);
  }
}
