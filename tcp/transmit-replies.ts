import type { Egress } from './egress.ts';
import type { Host } from './host.ts';
import { countDeparture } from './segment-writer.ts';

/**
 * Writes the packets that belong to no connection.
 * @returns false when `egress` was full before all were written
 */
export function transmitReplies(host: Host, egress: Egress): boolean {
  for (;;) {
    const reply = host.replies.first;
    if (reply === undefined) return true;
    const { packet, destination } = reply;
    const out = host.isOwn(destination) ? host.loopback : egress;
    const at = out.reserve(packet.length);
    if (at < 0) return false;
    out.bytes.set(packet, at);
    out.commit(packet.length);
    if (out === egress) countDeparture(host, packet.length);
    host.replies.shift();
  }
}
