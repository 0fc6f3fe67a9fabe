import type { Egress } from './egress.ts';
import type { Host } from './host.ts';

/** Where the destination is in an IPv4 header, bytes (RFC 791 section 3.1). */
const DESTINATION = 16;

/**
 * Writes the packets that belong to no connection.
 * @returns false when `egress` was full before all were written
 */
export function transmitReplies(host: Host, egress: Egress): boolean {
  for (;;) {
    const packet = host.replies.first;
    if (packet === undefined) return true;
    const destination = new DataView(packet.buffer).getUint32(DESTINATION);
    const out = destination === host.address.ipv4 ? host.loopback : egress;
    const at = out.reserve(packet.length);
    if (at < 0) return false;
    out.bytes.set(packet, at);
    out.commit(packet.length);
    host.replies.shift();
  }
}
