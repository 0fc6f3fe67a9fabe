import type { IpAddress } from './address.ts';
import { echoArrives } from './echo.ts';
import type { Host } from './host.ts';
import { errnoOfIcmpv4, errnoOfIcmpv6 } from './icmp-errno.ts';
import {
  connectionOfQuote,
  QUOTED_SEQUENCE_NUMBER,
  unreachableErrorArrives,
} from './icmp-error.ts';
import { packetTooBigArrives } from './packet-too-big.ts';
import { icmpOf } from './send-icmp.ts';
import {
  datagramTooBig,
  QUOTED_DESTINATION_PORT,
  senderOfQuote,
  udpErrorArrives,
} from './udp/error-arrives.ts';
import type { IcmpMessage } from './wire/icmp.ts';
import { type IpHeader, parseQuotedIp } from './wire/ip.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from './wire/ipv4.ts';

/**
 * An ICMP message to us: an echo is answered, an error goes to the connection it is about. A TUN has no link-layer addresses, so
 * there are no neighbors to discover (RFC 4861).
 */
export function icmpArrives(
  host: Host,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  source: IpAddress,
  now: number,
): void {
  const message = echoArrives(host, bytes, view, offset, length, source);
  if (message !== undefined && icmpOf(source).isError(message.type)) {
    errorArrives(host, view, message, source, now);
  }
}

/** An error about a packet of ours (RFC 9293 section 3.9.2.2, RFC 1122 section 4.1.3.3, RFC 8200 section 8). */
function errorArrives(
  host: Host,
  view: DataView,
  message: IcmpMessage,
  from: IpAddress,
  now: number,
): void {
  const { payloadOffset, payloadLength } = message;
  const quoted = parseQuotedIp(view, payloadOffset, payloadLength, from.isIpv4);
  if (quoted === undefined || quoted.fragmentOffset !== 0) return;
  const at = payloadOffset + quoted.headerLength;
  const length = payloadLength - quoted.headerLength;
  switch (quoted.protocol) {
    case PROTOCOL_TCP:
      segmentErrorArrives(host, view, at, length, message, quoted, from, now);
      break;
    case PROTOCOL_UDP:
      datagramErrorArrives(host, view, at, length, message, quoted, from, now);
      break;
  }
}

function segmentErrorArrives(
  host: Host,
  view: DataView,
  at: number,
  length: number,
  { type, code, parameter }: IcmpMessage,
  { source, destination, totalLength }: IpHeader,
  from: IpAddress,
  now: number,
): void {
  const icmp = icmpOf(from);
  const pcb = connectionOfQuote(host, view, at, length, source, destination);
  if (pcb === undefined) return;
  if (icmp.isPacketTooBig(type, code)) {
    const SEG_SEQ = view.getUint32(at + QUOTED_SEQUENCE_NUMBER);
    packetTooBigArrives(host, pcb, SEG_SEQ, icmp.nextHopMtu(parameter), totalLength, now);
  } else {
    unreachableErrorArrives(host, pcb, errnoOf(from, type, code));
  }
}

function datagramErrorArrives(
  host: Host,
  view: DataView,
  at: number,
  length: number,
  { type, code, parameter }: IcmpMessage,
  { source, destination }: IpHeader,
  from: IpAddress,
  now: number,
): void {
  const icmp = icmpOf(from);
  const pcb = senderOfQuote(host, view, at, length, source);
  if (pcb === undefined) return;
  if (icmp.isPacketTooBig(type, code)) {
    datagramTooBig(host, destination, icmp.nextHopMtu(parameter), now);
  } else {
    const port = view.getUint16(at + QUOTED_DESTINATION_PORT);
    udpErrorArrives(host, pcb, destination, port, errnoOf(from, type, code));
  }
}

function errnoOf(from: IpAddress, type: number, code: number): number {
  return from.isIpv4 ? errnoOfIcmpv4(type, code) : errnoOfIcmpv6(type, code);
}
