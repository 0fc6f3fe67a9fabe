import type { IpAddress } from './address.ts';
import { PacketQueue } from './packet-queue.ts';

/** What arrives in one turn is answered at most this often; beyond that, the net has to ask again. */
const MOST_WAITING = 1024;

/** Whole IP packets that belong to no connection: resets, echo replies, ICMP errors. They wait here for room to leave. */
export class Replies extends PacketQueue {
  /** Takes over `packet`, or drops it when too many wait. */
  push(packet: Uint8Array, destination: IpAddress): void {
    if (this.length < MOST_WAITING) this.add({ packet, destination });
  }
}
