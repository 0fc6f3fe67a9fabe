import { IpAddress } from '../address.ts';
import { writeLinkAddress } from './ethernet.ts';
import { emitIcmp, ICMP_HEADER_LENGTH, type IcmpMessage } from './icmp.ts';
import { ICMPV6, PROTOCOL_ICMPV6 } from './icmpv6.ts';
import { emitIp } from './ip.ts';
import { IPV6_HEADER_LENGTH, type Ipv6Header, readIpv6Address, writeIpv6Address } from './ipv6.ts';

/** Types of ICMPv6 (RFC 4861 sections 4.3 and 4.4). */
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;

/** Flags of an advertisement, in the second word. */
const SOLICITED = 0x4000_0000;
const OVERRIDE = 0x2000_0000;

/** Options (section 4.6), in units of 8 bytes. */
const SOURCE_LINK_ADDRESS = 1;
const TARGET_LINK_ADDRESS = 2;
const OPTION_UNIT = 8;

const ADDRESS_LENGTH = 16;

/** No router has passed on a packet that has it. */
const HOP_LIMIT = 255;

/** Bytes of the packet that `emitNeighborAdvertisement` writes. */
export const NEIGHBOR_ADVERTISEMENT_LENGTH =
  IPV6_HEADER_LENGTH + ICMP_HEADER_LENGTH + ADDRESS_LENGTH + OPTION_UNIT;

/** ff02::1 (RFC 4291 section 2.7.1). */
export const ALL_NODES = new IpAddress(0xff02_0000, 0, 0, 1);

/** The multicast address at which who has `address` is asked for its link address (RFC 4291 section 2.7.1). */
export function solicitedNode({ word3 }: IpAddress): IpAddress {
  return new IpAddress(0xff02_0000, 0, 1, 0xff00_0000 | (word3 & 0xff_ffff));
}

/**
 * Whom a neighbour solicitation asks for (RFC 4861 section 7.1.1).
 * @param view of the memory that `message` was read from
 * @param header of the packet that brought it
 * @returns undefined when it is another message, or is to be discarded
 */
export function solicitedTarget(
  view: DataView,
  header: Ipv6Header,
  message: IcmpMessage,
): IpAddress | undefined {
  const { type, code, payloadOffset, payloadLength } = message;
  if (type !== NEIGHBOR_SOLICITATION || code !== 0 || header.hopLimit !== HOP_LIMIT) {
    return undefined;
  }
  if (payloadLength < ADDRESS_LENGTH) return undefined;
  const target = readIpv6Address(view, payloadOffset);
  if (target.word0 >>> 24 === 0xff) return undefined;
  const options = payloadOffset + ADDRESS_LENGTH;
  const end = payloadOffset + payloadLength;
  let saysSource = false;
  for (let at = options; at < end; ) {
    const length = at + 1 < end ? OPTION_UNIT * view.getUint8(at + 1) : 0;
    if (length === 0 || at + length > end) return undefined;
    saysSource ||= view.getUint8(at) === SOURCE_LINK_ADDRESS;
    at += length;
  }
  // Somebody who has no address yet asks whether another one has this.
  const isProbe = header.source.isUnspecified;
  const isToAll = header.destination.equals(solicitedNode(target));
  return isProbe && (saysSource || !isToAll) ? undefined : target;
}

/**
 * Writes, as a whole packet at bytes[offset ...], that `target` is at `linkAddress` from now on (RFC 4861 section 4.4).
 * @param view over the same memory as `bytes`, from its first byte
 * @param destination who has asked; or all nodes, whom nothing was asked by
 * @returns how many bytes it has
 */
export function emitNeighborAdvertisement(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  destination: IpAddress,
  target: IpAddress,
  linkAddress: number,
): number {
  const body = new Uint8Array(ADDRESS_LENGTH + OPTION_UNIT);
  const bodyView = new DataView(body.buffer);
  writeIpv6Address(bodyView, 0, target);
  bodyView.setUint8(ADDRESS_LENGTH, TARGET_LINK_ADDRESS);
  bodyView.setUint8(ADDRESS_LENGTH + 1, 1);
  writeLinkAddress(bodyView, ADDRESS_LENGTH + 2, linkAddress);
  const length = ICMP_HEADER_LENGTH + body.length;
  const flags = destination.equals(ALL_NODES) ? OVERRIDE : SOLICITED | OVERRIDE;
  const at =
    offset + emitIp(view, offset, target, destination, PROTOCOL_ICMPV6, HOP_LIMIT, 0, 0, length);
  const sum = ICMPV6.pseudoHeaderSum(target, destination, length);
  emitIcmp(bytes, view, at, NEIGHBOR_ADVERTISEMENT, 0, flags, body, 0, body.length, sum);
  return IPV6_HEADER_LENGTH + length;
}
