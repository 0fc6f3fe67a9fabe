import type { IpAddress } from './address.ts';
import type { Pcb } from './pcb.ts';

const SMALLEST_TABLE = 64;
/** So far the hash is proven to be even; more buckets would be of no use. */
const LARGEST_TABLE = 2 ** 17;
/** One for each half word of a remote address and two ports, and one to add. */
const KEYS = 11;

/**
 * Finds the connection that a segment belongs to, by both sockets (RFC 9293 section 3.3.1). A hash table chained
 * through the PCBs, so that a look-up makes no key and no garbage.
 */
export class Demultiplexer {
  /** Random, so that a peer cannot aim all its connections at one bucket; u32 each. */
  readonly #keys: Uint32Array;
  #buckets: (Pcb | undefined)[] = new Array(SMALLEST_TABLE).fill(undefined);
  #size = 0;

  /** @param entropy gives a random u32 */
  constructor(entropy: () => number) {
    this.#keys = Uint32Array.from({ length: KEYS }, entropy);
  }

  find(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): Pcb | undefined {
    let pcb = this.#buckets[this.#bucketOf(remote, remotePort, localPort)];
    while (pcb !== undefined) {
      if (
        pcb.REMOTE_PORT === remotePort &&
        pcb.LOCAL_PORT === localPort &&
        pcb.REMOTE_ADDRESS_3 === remote.word3 &&
        pcb.LOCAL_ADDRESS_3 === local.word3 &&
        pcb.REMOTE_ADDRESS_2 === remote.word2 &&
        pcb.REMOTE_ADDRESS_1 === remote.word1 &&
        pcb.REMOTE_ADDRESS_0 === remote.word0 &&
        pcb.LOCAL_ADDRESS_2 === local.word2 &&
        pcb.LOCAL_ADDRESS_1 === local.word1 &&
        pcb.LOCAL_ADDRESS_0 === local.word0
      ) {
        return pcb;
      }
      pcb = pcb.nextInBucket;
    }
    return undefined;
  }

  /** `pcb` has both sockets, and no other has the same. */
  add(pcb: Pcb): void {
    if (this.#size >= this.#buckets.length && this.#buckets.length < LARGEST_TABLE) {
      this.#grow();
    }
    this.#size++;
    this.#link(pcb);
  }

  /** Its sockets are still those that it was added with. */
  remove(pcb: Pcb): void {
    const index = this.#bucketOf(pcb.remoteAddress, pcb.REMOTE_PORT, pcb.LOCAL_PORT);
    let before: Pcb | undefined;
    let here = this.#buckets[index];
    while (here !== undefined && here !== pcb) {
      before = here;
      here = here.nextInBucket;
    }
    if (here === undefined) return;
    if (before === undefined) this.#buckets[index] = pcb.nextInBucket;
    else before.nextInBucket = pcb.nextInBucket;
    pcb.nextInBucket = undefined;
    this.#size--;
  }

  #link(pcb: Pcb): void {
    const index = this.#bucketOf(pcb.remoteAddress, pcb.REMOTE_PORT, pcb.LOCAL_PORT);
    pcb.nextInBucket = this.#buckets[index];
    this.#buckets[index] = pcb;
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = new Array(old.length * 2).fill(undefined);
    for (const first of old) {
      for (let pcb = first; pcb !== undefined; ) {
        const next: Pcb | undefined = pcb.nextInBucket;
        this.#link(pcb);
        pcb = next;
      }
    }
  }

  /**
   * Vector multiply-shift over 16-bit halves: whoever does not know the keys can do no better than chance to make two
   * connections meet, up to 2**17 buckets (M. Thorup, High Speed Hashing for Integers and Strings, on vectors).
   */
  #bucketOf(remote: IpAddress, remotePort: number, localPort: number): number {
    const keys = this.#keys;
    let h = keys[10]! + this.#halves(remote.word0, 0) + this.#halves(remote.word1, 2);
    h += this.#halves(remote.word2, 4) + this.#halves(remote.word3, 6);
    h += Math.imul(remotePort, keys[8]!) + Math.imul(localPort, keys[9]!);
    return (h >>> 15) & (this.#buckets.length - 1);
  }

  #halves(word: number, key: number): number {
    return (
      Math.imul(word >>> 16, this.#keys[key]!) + Math.imul(word & 0xffff, this.#keys[key + 1]!)
    );
  }
}
