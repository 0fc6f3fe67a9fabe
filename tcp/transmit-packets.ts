import type { Egress } from './egress.ts';
import type { Host } from './host.ts';
import type { PacketQueue } from './packet-queue.ts';
import { countDeparture } from './segment-writer.ts';

/**
 * Writes the packets that wait in `queue`.
 * @returns false when `egress` was full before all were written
 */
export function transmitPackets(
  host: Host,
  queue: Pick<PacketQueue, 'first' | 'shift'>,
  egress: Egress,
): boolean {
  for (;;) {
    const { first } = queue;
    if (first === undefined) return true;
    const { packet, destination } = first;
    const out = host.isOwn(destination) ? host.loopback : egress;
    const at = out.reserve(packet.length);
    if (at < 0) return false;
    out.bytes.set(packet, at);
    out.commit(packet.length);
    if (out === egress) countDeparture(host, packet.length);
    queue.shift();
  }
}
