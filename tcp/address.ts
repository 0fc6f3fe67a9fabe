import { isIPv6 } from 'node:net';

/** One end of a connection. The address is text as `formatAddress` writes it. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A protocol with ports, as addresses name it. */
export type Network = 'tcp' | 'udp';

/** The first 96 bits of an IPv4-mapped address, ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
const MAPPED_PREFIX = 0xffff;

const DOTTED_QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** An IP address as four u32 words, the first 32 bits in `word0`; IPv4 as its IPv4-mapped form. */
export class IpAddress {
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;

  constructor(word0: number, word1: number, word2: number, word3: number) {
    this.word0 = word0 >>> 0;
    this.word1 = word1 >>> 0;
    this.word2 = word2 >>> 0;
    this.word3 = word3 >>> 0;
  }

  static fromIpv4(ipv4: number): IpAddress {
    return new IpAddress(0, 0, MAPPED_PREFIX, ipv4);
  }

  get isIpv4(): boolean {
    return this.word0 === 0 && this.word1 === 0 && this.word2 === MAPPED_PREFIX;
  }

  /** The IPv4 address as a u32; means something only if `isIpv4`. */
  get ipv4(): number {
    return this.word3;
  }

  /** 0.0.0.0 or `::`, which stand for any address of the host. */
  get isUnspecified(): boolean {
    return this.word3 === 0 && (this.isIpv4 || (this.word0 | this.word1 | this.word2) === 0);
  }

  /** `::` or `::1`, which no packet on a wire is to or from (RFC 4291 sections 2.5.2 and 2.5.3). */
  get isUnspecifiedOrLoopback6(): boolean {
    return (this.word0 | this.word1 | this.word2) === 0 && this.word3 <= 1;
  }

  equals(other: IpAddress): boolean {
    return (
      this.word0 === other.word0 &&
      this.word1 === other.word1 &&
      this.word2 === other.word2 &&
      this.word3 === other.word3
    );
  }
}

/** The address that `text` writes: a dotted quad of decimals, or IPv6 (RFC 4291 section 2.2) without a zone. */
export function parseAddress(text: string): IpAddress | undefined {
  const ipv4 = parseIpv4Address(text);
  if (ipv4 !== undefined) return IpAddress.fromIpv4(ipv4);
  return isIPv6(text) && !text.includes('%') ? ipv6FromText(text) : undefined;
}

/** `a.b.c.d`, or IPv6 as RFC 5952 wants it. */
export function formatAddress(address: IpAddress): string {
  if (address.isIpv4) return formatIpv4(address.ipv4);
  const groups: number[] = [];
  for (const word of [address.word0, address.word1, address.word2, address.word3]) {
    groups.push(word >>> 16, word & 0xffff);
  }
  const [from, to] = longestRunOfZeros(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (to - from < 2) return hex(groups);
  return `${hex(groups.slice(0, from))}::${hex(groups.slice(to))}`;
}

/** `a.b.c.d` of a u32. */
export function formatIpv4(ipv4: number): string {
  return `${ipv4 >>> 24}.${(ipv4 >>> 16) & 255}.${(ipv4 >>> 8) & 255}.${ipv4 & 255}`;
}

/**
 * The endpoint that `text` writes: `host:port`, `[v6]:port`, `host!port` or `network!host!port`. A host left out
 * (`:port`, `port`) or written `*` is `::`, which stands for IPv4 too.
 * @param network the only one it may name
 */
export function parseEndpoint(text: string, network: Network = 'tcp'): Endpoint | undefined {
  const prefix = `${network}!`;
  const rest = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  const plan9 = text.includes('!');
  const parts = /^(?:(.*):)?(\d{1,5})$/.exec(rest);
  const plan9Parts = /^([^!]*)!(\d{1,5})$/.exec(rest);
  const [, host = '', digits] = (plan9 ? plan9Parts : parts) ?? [];
  if (digits === undefined) return undefined;
  const port = Number(digits);
  if (port > 0xffff) return undefined;
  const address = parseHost(host, plan9);
  return address && { address: formatAddress(address), port };
}

/** `a.b.c.d:port` or `[v6]:port`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const { address, port } = endpoint;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** An address and how many of its first bits name the network: `a.b.c.d/0` to `/32`, `v6/0` to `/128`. */
export function parseCidr(text: string): { address: IpAddress; prefix: number } | undefined {
  const [, host = '', digits] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(host);
  if (address === undefined || digits === undefined) return undefined;
  const prefix = Number(digits);
  return prefix <= (address.isIpv4 ? 32 : 128) ? { address, prefix } : undefined;
}

/** A bare IPv6 address before `:port` would be ambiguous, so there it stands in brackets. */
function parseHost(host: string, bareIpv6: boolean): IpAddress | undefined {
  if (host === '' || host === '*') return new IpAddress(0, 0, 0, 0);
  const bracketed = /^\[(.*:.*)\]$/.exec(host)?.[1];
  if (bracketed !== undefined) return parseAddress(bracketed);
  return host.includes(':') && !bareIpv6 ? undefined : parseAddress(host);
}

/** Strict: inet_aton's octal, hexadecimal and shortened forms are read differently by different programs. */
function parseIpv4Address(text: string): number | undefined {
  const match = DOTTED_QUAD.exec(text);
  if (match === null) return undefined;
  let ipv4 = 0;
  for (const digits of match.slice(1)) {
    const octet = Number(digits);
    if (octet > 255 || String(octet) !== digits) return undefined;
    ipv4 = ipv4 * 256 + octet;
  }
  return ipv4;
}

/** @param text a valid IPv6 address */
function ipv6FromText(text: string): IpAddress {
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  const groups = [...before, ...zeros, ...after];
  const word = (index: number) => groups[2 * index]! * 0x10000 + groups[2 * index + 1]!;
  return new IpAddress(word(0), word(1), word(2), word(3));
}

/** The 16-bit groups of one side of `::`; a dotted quad at its end is two of them. */
function groupsOf(side: string): number[] {
  if (side === '') return [];
  return side.split(':').flatMap((group) => {
    const ipv4 = parseIpv4Address(group);
    return ipv4 === undefined ? [Number.parseInt(group, 16)] : [ipv4 >>> 16, ipv4 & 0xffff];
  });
}

/** The first of the longest runs of zeros, as [from, to). */
function longestRunOfZeros(groups: number[]): [number, number] {
  let best: [number, number] = [0, 0];
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === 0) to++;
    if (to - from > best[1] - best[0]) best = [from, to];
  }
  return best;
}
