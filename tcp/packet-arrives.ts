import { IpAddress } from './address.ts';
import type { Host } from './host.ts';
import { icmpArrives, unreachable } from './icmp-arrives.ts';
import { segmentArrives } from './segment-arrives.ts';
import { ipv4PseudoHeaderSum } from './wire/checksum.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, parseIpv4 } from './wire/ipv4.ts';
import { parseTcp } from './wire/tcp.ts';

/** Packets mostly come in the same memory: its view is made once. */
let lastBytes: Uint8Array = new Uint8Array(0);
let lastView: DataView = new DataView(lastBytes.buffer);

function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== lastBytes) {
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    lastBytes = bytes;
  }
  return lastView;
}

/**
 * One IP packet at bytes[offset, offset + length). What is not for our address, is a fragment, or is broken, is
 * dropped without a word (RFC 1122 section 3.2.1.3): no TCP of today sends fragments.
 */
export function packetArrives(
  host: Host,
  bytes: Uint8Array,
  offset: number,
  length: number,
  now: number,
): void {
  const view = viewOf(bytes);
  const header = host.ipHeader;
  if (!parseIpv4(view, offset, length, header) || header.isFragment) return;
  if (header.destination !== host.address.ipv4) return;
  const source = IpAddress.fromIpv4(header.source);
  // A reply to such a source would go to nobody, or to everybody.
  if (!host.isUnicast(source)) return;

  const payload = offset + header.headerLength;
  const payloadLength = header.totalLength - header.headerLength;
  switch (header.protocol) {
    case PROTOCOL_TCP: {
      const { destination } = header;
      const sum = ipv4PseudoHeaderSum(header.source, destination, PROTOCOL_TCP, payloadLength);
      if (!parseTcp(view, payload, payloadLength, sum, host.segment)) return;
      segmentArrives(host, source, host.segment, bytes, now);
      break;
    }
    case PROTOCOL_ICMP:
      icmpArrives(host, bytes, view, payload, payloadLength, header.source);
      break;
    default:
      unreachable(host, bytes, offset, header, now);
  }
}
