import { IpAddress } from './address.ts';
import { errnoNumber } from './errno.ts';
import type { Host } from './host.ts';
import { connectionOfQuote, unreachableErrorArrives } from './icmp-error.ts';
import {
  emitDestinationUnreachable,
  emitEchoReply,
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_ECHO,
  ICMP_HEADER_LENGTH,
  ICMP_PORT_UNREACHABLE,
  ICMP_PROTOCOL_UNREACHABLE,
  type Icmpv4Message,
  MAX_QUOTED_LENGTH,
  parseIcmpv4,
} from './wire/icmpv4.ts';
import { emitIp } from './wire/ip.ts';
import {
  IPV4_HEADER_LENGTH,
  Ipv4Header,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  parseQuotedIpv4,
} from './wire/ipv4.ts';

/** Kept to be used again for each message. */
const quoted = new Ipv4Header();

/** Assigned protocol number (IANA, Protocol Numbers). */
const PROTOCOL_UDP = 17;

/** An ICMP message to us: an echo is answered (RFC 1122 section 3.2.2.6), an error goes to the connection it is about. */
export function icmpv4Arrives(
  host: Host,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  source: IpAddress,
): void {
  const message = host.icmpv4Message;
  if (!parseIcmpv4(view, offset, length, message)) return;
  if (message.type === ICMP_ECHO) answerEcho(host, bytes, message, source);
  else if (message.type === ICMP_DESTINATION_UNREACHABLE) errorArrives(host, view, message);
}

function answerEcho(host: Host, bytes: Uint8Array, echo: Icmpv4Message, source: IpAddress): void {
  const length = IPV4_HEADER_LENGTH + ICMP_HEADER_LENGTH + echo.payloadLength;
  const packet = new Uint8Array(length);
  const view = new DataView(packet.buffer);
  emitEchoReply(packet, view, IPV4_HEADER_LENGTH, bytes, echo);
  sendIcmp(host, packet, view, source);
}

/** Nobody takes packets of this protocol or port here (RFC 1122 sections 3.2.2.1 and 4.1.3.1). Not said too often. */
export function unreachable(
  host: Host,
  bytes: Uint8Array,
  offset: number,
  header: Ipv4Header,
  now: number,
): void {
  if (!host.icmpErrors.take(now)) return;
  const code = header.protocol === PROTOCOL_UDP ? ICMP_PORT_UNREACHABLE : ICMP_PROTOCOL_UNREACHABLE;
  const quotedLength = Math.min(header.totalLength, MAX_QUOTED_LENGTH);
  const packet = new Uint8Array(IPV4_HEADER_LENGTH + ICMP_HEADER_LENGTH + quotedLength);
  const view = new DataView(packet.buffer);
  const { totalLength } = header;
  emitDestinationUnreachable(packet, view, IPV4_HEADER_LENGTH, code, 0, bytes, offset, totalLength);
  sendIcmp(host, packet, view, IpAddress.fromIpv4(header.source));
}

/** Puts the IP header before a message that is in place. */
function sendIcmp(host: Host, packet: Uint8Array, view: DataView, destination: IpAddress): void {
  const length = packet.length - IPV4_HEADER_LENGTH;
  emitIp(view, 0, host.address, destination, PROTOCOL_ICMP, 64, 0, 0, length);
  host.replies.push(packet, destination);
}

/** An error about a packet of ours (RFC 9293 section 3.9.2.2). */
function errorArrives(host: Host, view: DataView, message: Icmpv4Message): void {
  const { payloadOffset, payloadLength } = message;
  if (!parseQuotedIpv4(view, payloadOffset, payloadLength, quoted)) return;
  if (quoted.protocol !== PROTOCOL_TCP || quoted.fragmentOffset !== 0) return;
  const source = IpAddress.fromIpv4(quoted.source);
  const destination = IpAddress.fromIpv4(quoted.destination);
  const at = payloadOffset + quoted.headerLength;
  const length = payloadLength - quoted.headerLength;
  const pcb = connectionOfQuote(host, view, at, length, source, destination);
  if (pcb !== undefined) unreachableErrorArrives(host, pcb, ERRNO_OF_CODE[message.code] ?? 0);
}

/** Linux's icmp_err_convert (net/ipv4/icmp.c), by code; 0: no error of the connection. */
const ERRNO_OF_CODE = [
  errnoNumber('ENETUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  // Linux has ENOPROTOOPT here; connect(2) does not list it.
  errnoNumber('ECONNREFUSED'),
  errnoNumber('ECONNREFUSED'),
  // Fragmentation needed is about the path's MTU, which is not discovered here.
  0,
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('ENETUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('ENETUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('ENETUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
  errnoNumber('EHOSTUNREACH'),
];
