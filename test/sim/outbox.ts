import type { Egress } from '../../tcp/egress.ts';
import { cut } from '../segmentation.ts';
import { type Packet, packetOf } from './packet.ts';

/** The packets of one turn. */
export class Outbox implements Egress {
  readonly bytes = new Uint8Array(1 << 16);
  readonly view = new DataView(this.bytes.buffer);
  packets: Packet[] = [];
  room = Infinity;
  readonly commitUnfinished?: (length: number, segmentSize: number) => void;

  constructor(offload: boolean) {
    if (!offload) return;
    this.commitUnfinished = (length, segmentSize) => {
      this.room--;
      const pieces = cut(this.bytes.slice(0, length), segmentSize);
      this.packets.push(...pieces.map(packetOf));
    };
  }

  reserve(length: number): number {
    return length <= this.bytes.length && this.room > 0 ? 0 : -1;
  }

  commit(length: number): void {
    this.room--;
    this.packets.push(packetOf(this.bytes.slice(0, length)));
  }
}
