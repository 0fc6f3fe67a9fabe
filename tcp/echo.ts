import type { IpAddress } from './address.ts';
import type { Host } from './host.ts';
import { icmpOf, sendIcmp } from './send-icmp.ts';
import { type IcmpMessage, parseIcmp } from './wire/icmp.ts';

/**
 * An ICMP message to us at bytes[offset, offset + length): an echo is answered (RFC 1122 section 3.2.2.6, RFC 4443 section 4.2).
 * @returns the message, if it is another and whole; it is valid until the next
 */
export function echoArrives(
  host: Host,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
  source: IpAddress,
): IcmpMessage | undefined {
  const icmp = icmpOf(source);
  const message = host.icmpMessage;
  const sum = icmp.pseudoHeaderSum(source, host.addressTowards(source), length);
  host.counters.IcmpInMsgs++;
  if (!parseIcmp(view, offset, length, sum, message)) {
    host.counters.IcmpInErrors++;
    return undefined;
  }
  const { type, parameter, payloadOffset, payloadLength } = message;
  if (type !== icmp.echoRequest) return message;
  sendIcmp(host, source, icmp.echoReply, 0, parameter, bytes, payloadOffset, payloadLength);
  return undefined;
}
