import type { IpAddress } from '../address.ts';

/** Bytes before the payload (IEEE 802.3 section 3.1.1, RFC 894): destination, source, type. */
export const ETHERNET_HEADER_LENGTH = 14;

/** Assigned numbers (IANA, IEEE 802 Numbers). */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

/** ff:ff:ff:ff:ff:ff, everybody. A link address is a number of 48 bits. */
export const BROADCAST = 2 ** 48 - 1;

/** 33:33:00:00:00:00, before the last 32 bits of a multicast address (RFC 2464 section 7). */
const IPV6_MULTICAST = 0x3333_0000_0000;

/** The header of a frame, to be filled again for each. */
export class EthernetHeader {
  destination = 0;
  source = 0;
  type = 0;
}

/**
 * Reads the header of the frame at view[offset, offset + length) into `into`.
 * @returns false when it is cut short or no station can have sent it; `into` then holds nothing of meaning
 */
export function parseEthernet(
  view: DataView,
  offset: number,
  length: number,
  into: EthernetHeader,
): boolean {
  if (length < ETHERNET_HEADER_LENGTH) return false;
  into.destination = readLinkAddress(view, offset);
  into.source = readLinkAddress(view, offset + 6);
  into.type = view.getUint16(offset + 12);
  return isStation(into.source);
}

/**
 * Writes a header at view[offset ...].
 * @returns how many bytes it has
 */
export function emitEthernet(
  view: DataView,
  offset: number,
  destination: number,
  source: number,
  type: number,
): number {
  writeLinkAddress(view, offset, destination);
  writeLinkAddress(view, offset + 6, source);
  view.setUint16(offset + 12, type);
  return ETHERNET_HEADER_LENGTH;
}

export function readLinkAddress(view: DataView, offset: number): number {
  return view.getUint16(offset) * 2 ** 32 + view.getUint32(offset + 2);
}

export function writeLinkAddress(view: DataView, offset: number, address: number): void {
  view.setUint16(offset, Math.floor(address / 2 ** 32));
  view.setUint32(offset + 2, address % 2 ** 32);
}

/** Whether `address` is that of one station: neither a group's (IEEE 802 section 8.2, the I/G bit) nor nobody's. */
export function isStation(address: number): boolean {
  return address !== 0 && Math.floor(address / 2 ** 40) % 2 === 0;
}

/** The address of a group of stations that listen to the IPv6 multicast address `group`. */
export function groupLinkAddress(group: IpAddress): number {
  return IPV6_MULTICAST + group.word3;
}

/**
 * An address of a station that nobody has assigned (IEEE 802 section 8.2, the U/L bit).
 * @param entropy a random u32
 */
export function randomLinkAddress(entropy: () => number): number {
  return 0x0200_0000_0000 + (entropy() % 2 ** 8) * 2 ** 32 + entropy();
}
