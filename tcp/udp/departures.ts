import { PacketQueue, type QueuedPacket } from '../packet-queue.ts';
import type { UdpPcb } from './udp-pcb.ts';

export interface Departure extends QueuedPacket {
  readonly sender: UdpPcb;
}

/** Packets of UDP sockets: datagrams or fragments of them. They are sent at most once, so nothing of them is journaled. */
export class Departures extends PacketQueue<Departure> {
  readonly #changed: (pcb: UdpPcb) => void;

  /** @param changed called with a sender that may go on */
  constructor(changed: (pcb: UdpPcb) => void) {
    super();
    this.#changed = changed;
  }

  override add(departure: Departure): void {
    super.add(departure);
    departure.sender.departing += departure.packet.length;
  }

  override shift(): void {
    const { packet, sender } = this.first!;
    super.shift();
    if (sender.isRemoved) return;
    const couldSend = sender.isWritable;
    sender.departing -= packet.length;
    if (!couldSend && sender.isWritable) this.#changed(sender);
  }
}
