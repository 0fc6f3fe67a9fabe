import { readLinkAddress, writeLinkAddress } from './ethernet.ts';

/** Bytes of a packet about IPv4 on Ethernet (RFC 826). */
export const ARP_LENGTH = 28;

/** Operations. */
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

/** Hardware and protocol, and how long the addresses of each are. */
const ETHERNET_AND_IPV4 = 0x0001_0800;
const LENGTHS = 0x0604;

/** The fields of a packet, to be filled again for each. Protocol addresses are u32. */
export class ArpPacket {
  operation = 0;
  senderLink = 0;
  sender = 0;
  targetLink = 0;
  target = 0;
}

/**
 * Reads the packet at view[offset, offset + length) into `into`. What is behind it is padding of the link.
 * @returns false when it is cut short, or about other addresses; `into` then holds nothing of meaning
 */
export function parseArp(view: DataView, offset: number, length: number, into: ArpPacket): boolean {
  if (length < ARP_LENGTH) return false;
  if (view.getUint32(offset) !== ETHERNET_AND_IPV4) return false;
  if (view.getUint16(offset + 4) !== LENGTHS) return false;
  into.operation = view.getUint16(offset + 6);
  into.senderLink = readLinkAddress(view, offset + 8);
  into.sender = view.getUint32(offset + 14);
  into.targetLink = readLinkAddress(view, offset + 18);
  into.target = view.getUint32(offset + 24);
  return true;
}

/**
 * Writes `packet` at view[offset ...].
 * @returns how many bytes it has
 */
export function emitArp(view: DataView, offset: number, packet: Readonly<ArpPacket>): number {
  view.setUint32(offset, ETHERNET_AND_IPV4);
  view.setUint16(offset + 4, LENGTHS);
  view.setUint16(offset + 6, packet.operation);
  writeLinkAddress(view, offset + 8, packet.senderLink);
  view.setUint32(offset + 14, packet.sender);
  writeLinkAddress(view, offset + 18, packet.targetLink);
  view.setUint32(offset + 24, packet.target);
  return ARP_LENGTH;
}
