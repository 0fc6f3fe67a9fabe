import { parseAddress } from '../tcp/address.ts';
import { ErrnoError } from '../tcp/errno.ts';
import { RecordError } from '../tcp/record-error.ts';
import type { Stack } from '../tcp/stack.ts';
import { type Destination, parseDestination, portOf } from './destination.ts';
import { DIALED, fileNode } from './node-id.ts';
import type { Records } from './records.ts';
import type { Resolver } from './resolver.ts';

/**
 * How many addresses are remembered. Of one that was forgotten between a program's LOOKUP and its OPEN the kernel asks once more
 * by its name, because of ESTALE (fs/namei.c, do_filp_open).
 */
const MOST = 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The files in `dial/` that somebody has asked for by name. What is opened is a number, so the address behind it is kept, also
 * for the next engine. Their ids come from the same sequence as those of connections.
 */
export class DialedAddresses {
  readonly #stack: Stack;
  readonly #records: Records;
  readonly #resolver: Resolver;
  /** By id, the one that was asked for last at the end. */
  readonly #addresses = new Map<number, string>();
  readonly #ids = new Map<string, number>();

  constructor(stack: Stack, records: Records, resolver: Resolver) {
    this.#stack = stack;
    this.#records = records;
    this.#resolver = resolver;
  }

  /** The node of the file called `address`, undefined if that is none. */
  nodeOf(address: string): number | undefined {
    const known = this.#ids.get(address);
    if (known === undefined && !this.#isDialable(address)) return undefined;
    const id = known ?? this.#stack.nextId++;
    this.#addresses.delete(id);
    this.#remember(id, address);
    if (known === undefined) {
      this.#records.put('dialed', id, encoder.encode(address));
      this.#forgetOldest();
    }
    return fileNode(id, DIALED);
  }

  /** @throws ErrnoError ESTALE when it was forgotten */
  get(id: number): string {
    const address = this.#addresses.get(id);
    if (address === undefined) throw new ErrnoError('ESTALE');
    return address;
  }

  clear(): void {
    for (const id of this.#addresses.keys()) this.#records.delete('dialed', id);
    this.#addresses.clear();
    this.#ids.clear();
  }

  /** @throws RecordError */
  restore(id: number, value: Uint8Array): void {
    const address = decode(value);
    if (address === undefined || !parseDestination(address) || this.#ids.has(address)) {
      throw new RecordError(`the record of dialed address ${id} is of none, or of one once more`);
    }
    this.#remember(id, address);
  }

  /** Whether it is the address of something that can be connected to, if only its host were there. */
  #isDialable(text: string): boolean {
    const destination = parseDestination(text);
    if (destination === undefined || isAnyHost(destination)) return false;
    const port = portOf(destination, 'tcp', this.#resolver);
    return port !== undefined && port !== 0;
  }

  #remember(id: number, address: string): void {
    this.#addresses.set(id, address);
    this.#ids.set(address, id);
  }

  #forgetOldest(): void {
    for (const [id, address] of this.#addresses) {
      if (this.#addresses.size <= MOST) return;
      this.#addresses.delete(id);
      this.#ids.delete(address);
      this.#records.delete('dialed', id);
    }
  }
}

function isAnyHost({ host }: Destination): boolean {
  return parseAddress(host)?.isUnspecified === true;
}

function decode(value: Uint8Array): string | undefined {
  try {
    return decoder.decode(value);
  } catch {
    return undefined;
  }
}
