import { IpAddress } from './address.ts';
import { errnoNumber } from './errno.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { seqInWindow, seqSub } from './sequence.ts';
import { State } from './state.ts';
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
import {
  emitIpv4,
  IPV4_HEADER_LENGTH,
  Ipv4Header,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  parseQuotedIpv4,
} from './wire/ipv4.ts';

/** Kept to be used again for each message. */
const quoted = new Ipv4Header();
const outgoing = new Ipv4Header();

/** Assigned protocol number (IANA, Protocol Numbers). */
const PROTOCOL_UDP = 17;

/** The first 8 bytes of a quoted TCP header: both ports and the sequence number (RFC 792). */
const QUOTED_TCP_LENGTH = 8;

/** An ICMP message to us: an echo is answered (RFC 1122 section 3.2.2.6), an error goes to the connection it is about. */
export function icmpArrives(
  host: Host,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  source: number,
): void {
  const message = host.icmpMessage;
  if (!parseIcmpv4(view, offset, length, message)) return;
  if (message.type === ICMP_ECHO) answerEcho(host, bytes, message, source);
  else if (message.type === ICMP_DESTINATION_UNREACHABLE) errorArrives(host, view, message);
}

function answerEcho(host: Host, bytes: Uint8Array, echo: Icmpv4Message, source: number): void {
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
  const { totalLength, source } = header;
  emitDestinationUnreachable(packet, view, IPV4_HEADER_LENGTH, code, 0, bytes, offset, totalLength);
  sendIcmp(host, packet, view, source);
}

/** Puts the IP header before a message that is in place. */
function sendIcmp(host: Host, packet: Uint8Array, view: DataView, destination: number): void {
  outgoing.typeOfService = 0;
  outgoing.totalLength = packet.length;
  outgoing.identification = 0;
  outgoing.dontFragment = true;
  outgoing.timeToLive = 64;
  outgoing.protocol = PROTOCOL_ICMP;
  outgoing.source = host.address.ipv4;
  outgoing.destination = destination;
  emitIpv4(view, 0, outgoing);
  host.replies.push(packet);
}

/**
 * Reacts to an error about a segment of ours (RFC 9293 section 3.9.2.2). It is believed only if the segment is one that
 * is in flight (RFC 5927 section 4.1). Before the handshake is done it ends the attempt, as in Linux (RFC 5461
 * section 4.1); later it is soft: no more than the reason to be given should the connection time out.
 */
function errorArrives(host: Host, view: DataView, message: Icmpv4Message): void {
  const { payloadOffset, payloadLength } = message;
  if (!parseQuotedIpv4(view, payloadOffset, payloadLength, quoted)) return;
  if (quoted.protocol !== PROTOCOL_TCP || quoted.fragmentOffset !== 0) return;
  if (payloadLength < quoted.headerLength + QUOTED_TCP_LENGTH) return;
  const at = payloadOffset + quoted.headerLength;
  const pcb = host.connections.find(
    IpAddress.fromIpv4(quoted.source),
    view.getUint16(at),
    IpAddress.fromIpv4(quoted.destination),
    view.getUint16(at + 2),
  );
  if (pcb === undefined || !isInFlight(pcb, view.getUint32(at + 4))) return;
  const errno = errnoOf(message.code);
  if (errno === 0) return;
  if (pcb.STATE === State.SYN_SENT) host.finish(pcb, errno);
  else pcb.SOFT_ERROR = errno;
}

function isInFlight(pcb: Pcb, SEG_SEQ: number): boolean {
  return seqInWindow(SEG_SEQ, pcb.SND_UNA, seqSub(pcb.SND_NXT, pcb.SND_UNA));
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

function errnoOf(code: number): number {
  return ERRNO_OF_CODE[code] ?? 0;
}
