import type { IpAddress } from './address.ts';
import type { Pcb } from './pcb.ts';

const SMALLEST_TABLE = 64;

/**
 * Finds the connection that a segment belongs to, by both sockets (RFC 9293 section 3.3.1). A hash table chained
 * through the PCBs, so that a look-up makes no key and no garbage.
 */
export class Demultiplexer {
  /** Random, so that a peer cannot aim all its connections at one bucket. */
  readonly #seed: number;
  #buckets: (Pcb | undefined)[] = new Array(SMALLEST_TABLE).fill(undefined);
  #size = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  find(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): Pcb | undefined {
    let pcb = this.#buckets[this.#bucketOf(remote.word3, remotePort, localPort)];
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
    if (this.#size >= this.#buckets.length) this.#grow();
    this.#size++;
    this.#link(pcb);
  }

  /** Its sockets are still those that it was added with. */
  remove(pcb: Pcb): void {
    const index = this.#bucketOf(pcb.REMOTE_ADDRESS_3, pcb.REMOTE_PORT, pcb.LOCAL_PORT);
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
    const index = this.#bucketOf(pcb.REMOTE_ADDRESS_3, pcb.REMOTE_PORT, pcb.LOCAL_PORT);
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

  /** The mixing step is MurmurHash3's finalizer (A. Appleby). */
  #bucketOf(remoteWord: number, remotePort: number, localPort: number): number {
    let h = this.#seed ^ remoteWord ^ Math.imul((remotePort << 16) | localPort, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) & (this.#buckets.length - 1);
  }
}
