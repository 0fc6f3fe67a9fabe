import type { IpAddress } from './address.ts';
import type { IpFragment } from './wire/fragments.ts';

/** The largest datagram has 119 fragments on a path of 576 bytes, and 1,366 only on one of 68, the least that RFC 791 allows. */
const MOST_FRAGMENTS = 128;

/** What a fragment costs beside its bytes, roughly, so that many small ones are not for free. */
const FRAGMENT_OVERHEAD = 256;

/** The fragments that have come of one datagram. */
export class FragmentedDatagram {
  readonly source: IpAddress;
  /** What its fragments have in common, and no other's. */
  readonly key: string;
  /** When it is given up, milliseconds. */
  readonly deadline: number;
  /** By where they start; none overlaps another. */
  #fragments: IpFragment[] = [];
  /** Bytes of payload that are here. */
  #received = 0;
  /** Bytes of the payload of the whole; Infinity while the last fragment has not come. */
  #length = Infinity;
  #isAbandoned = false;
  /** Bytes that it takes here. */
  size = 0;

  constructor(source: IpAddress, key: string, deadline: number) {
    this.source = source;
    this.key = key;
    this.deadline = deadline;
  }

  get isComplete(): boolean {
    return this.#received === this.#length;
  }

  get fragments(): readonly IpFragment[] {
    return this.#fragments;
  }

  /** The one with the transport's header, if it has come. */
  get first(): IpFragment | undefined {
    return this.#fragments[0]?.start === 0 ? this.#fragments[0] : undefined;
  }

  /**
   * Takes one more fragment, whatever the order. One that overlaps another, or has another end, shows that somebody wants
   * hosts and firewalls to see different datagrams: all of this one is discarded, with what comes later (RFC 5722
   * section 4 for IPv6; in Linux for IPv4 too, since 2018: net/ipv4/ip_fragment.c, ip_frag_queue, CVE-2018-5391). An
   * exact duplicate is the network's (RFC 8200 section 4.5).
   */
  add(fragment: IpFragment): void {
    if (this.#isAbandoned) return;
    const { start, end, isLast } = fragment;
    const found = this.#fragments.findIndex((other) => other.end > start);
    const index = found < 0 ? this.#fragments.length : found;
    const next = this.#fragments[index];
    if (next !== undefined && isDuplicate(next, fragment)) return;
    const overlaps = next !== undefined && next.start < end;
    const isBeyondEnd = end > this.#length || (isLast && next !== undefined);
    if (overlaps || isBeyondEnd || this.#fragments.length === MOST_FRAGMENTS) {
      this.#abandon();
      return;
    }
    this.#fragments.splice(index, 0, fragment);
    this.#received += end - start;
    this.size += fragment.packet.length + FRAGMENT_OVERHEAD;
    if (isLast) this.#length = end;
  }

  #abandon(): void {
    this.#isAbandoned = true;
    this.#fragments = [];
    this.#received = 0;
    this.#length = Infinity;
    this.size = 0;
  }
}

function isDuplicate(one: IpFragment, other: IpFragment): boolean {
  return (
    one.start === other.start &&
    one.end === other.end &&
    one.isLast === other.isLast &&
    Buffer.compare(payloadOf(one), payloadOf(other)) === 0
  );
}

function payloadOf({ packet, payloadAt }: IpFragment): Uint8Array {
  return packet.subarray(payloadAt);
}
