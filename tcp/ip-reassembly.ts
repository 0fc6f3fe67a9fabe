import type { IpAddress } from './address.ts';
import { FragmentedDatagram } from './fragmented-datagram.ts';
import type { IpFragment } from './wire/fragments.ts';

/** From the first fragment that comes, milliseconds (RFC 8200 section 4.5; RFC 1122 section 3.3.2 allows 60 to 120 s). */
const PATIENCE = 60_000;

/** Of all fragments that wait. Legitimate ones wait for milliseconds. */
const MOST_BYTES = 1 << 20;
const MOST_DATAGRAMS = 256;

/**
 * Datagrams of which not all fragments have come. They are not journaled: to lose one to a death of the engine is like
 * losing it on the way. Nothing is reserved for them, and what they may take is bounded: beyond that, the source that has
 * most datagrams here loses its oldest, so that whoever sends fragments in vain is in its own way first.
 */
export class IpReassembly {
  /** By their keys; as all have the same patience, the first is the next to be given up. */
  readonly #datagrams = new Map<string, FragmentedDatagram>();
  /** The same by their sources; of each the oldest first. */
  readonly #bySource = new Map<string, Set<FragmentedDatagram>>();
  #size = 0;

  /** How many datagrams wait. */
  get waiting(): number {
    return this.#datagrams.size;
  }

  /** Bytes that they take. */
  get size(): number {
    return this.#size;
  }

  /** When `takeExpired` is next wanted, milliseconds; Infinity: never. */
  get deadline(): number {
    return oldest(this.#datagrams.values())?.deadline ?? Infinity;
  }

  /**
   * @param label what tells the datagram from others of its source
   * @returns all fragments of the datagram, if this was the last one missing
   */
  arrives(
    source: IpAddress,
    label: string,
    fragment: IpFragment,
    now: number,
  ): readonly IpFragment[] | undefined {
    const key = `${sourceKey(source)} ${label}`;
    const datagram = this.#datagrams.get(key) ?? this.#begin(source, key, now);
    const before = datagram.size;
    datagram.add(fragment);
    this.#size += datagram.size - before;
    if (datagram.isComplete) {
      this.#forget(datagram);
      return datagram.fragments;
    }
    while (this.#size > MOST_BYTES || this.#datagrams.size > MOST_DATAGRAMS) this.#makeRoom();
    return undefined;
  }

  /** A datagram that has waited too long and is given up. */
  takeExpired(now: number): FragmentedDatagram | undefined {
    const datagram = oldest(this.#datagrams.values());
    if (datagram === undefined || datagram.deadline > now) return undefined;
    this.#forget(datagram);
    return datagram;
  }

  #begin(source: IpAddress, key: string, now: number): FragmentedDatagram {
    const datagram = new FragmentedDatagram(source, key, now + PATIENCE);
    this.#datagrams.set(key, datagram);
    const others = this.#bySource.get(sourceKey(source));
    if (others === undefined) this.#bySource.set(sourceKey(source), new Set([datagram]));
    else others.add(datagram);
    return datagram;
  }

  #makeRoom(): void {
    let most: ReadonlySet<FragmentedDatagram> = new Set();
    for (const datagrams of this.#bySource.values()) {
      if (datagrams.size > most.size) most = datagrams;
    }
    this.#forget(oldest(most.values())!);
  }

  #forget(datagram: FragmentedDatagram): void {
    const source = sourceKey(datagram.source);
    const others = this.#bySource.get(source)!;
    others.delete(datagram);
    if (others.size === 0) this.#bySource.delete(source);
    this.#datagrams.delete(datagram.key);
    this.#size -= datagram.size;
  }
}

function oldest(datagrams: Iterator<FragmentedDatagram>): FragmentedDatagram | undefined {
  return datagrams.next().value;
}

function sourceKey({ word0, word1, word2, word3 }: IpAddress): string {
  return `${word0} ${word1} ${word2} ${word3}`;
}
