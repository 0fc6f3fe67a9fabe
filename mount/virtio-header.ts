import type { Ingress } from '../tcp/ingress.ts';
import { IPV6_HEADER_LENGTH } from '../tcp/wire/ipv6.ts';

/**
 * What stands before each packet of a TUN with IFF_VNET_HDR (struct virtio_net_hdr in linux/virtio_net.h), in the byte order of the
 * host: flags u8, gso_type u8, hdr_len u16, gso_size u16, csum_start u16, csum_offset u16.
 */
export const VIRTIO_HEADER_LENGTH = 10;

const NEEDS_CSUM = 1;
const DATA_VALID = 2;

const GSO_TCPV4 = 1;
const GSO_TCPV6 = 4;

/** Of the checksum in a TCP header. */
const CHECKSUM_OFFSET = 16;

/** A header that says nothing, before a packet that is complete. */
export function emitPlainHeader(view: DataView, at: number): void {
  view.setUint32(at, 0);
  view.setUint32(at + 4, 0);
  view.setUint16(at + 8, 0);
}

/**
 * A header for a TCP segment whose checksum is to be finished.
 * @param at where it goes
 * @param packet where its packet begins, an IP header without options or extensions
 * @param length bytes of the packet
 * @param segmentSize bytes of text in each segment that the packet is to be cut into, if it has more
 */
export function emitUnfinishedHeader(
  view: DataView,
  at: number,
  packet: number,
  length: number,
  segmentSize: number,
): void {
  const version = view.getUint8(packet) >>> 4;
  const ipLength = version === 4 ? (view.getUint8(packet) & 15) << 2 : IPV6_HEADER_LENGTH;
  const headers = ipLength + ((view.getUint8(packet + ipLength + 12) >>> 4) << 2);
  const isCut = length - headers > segmentSize;
  view.setUint8(at, NEEDS_CSUM);
  view.setUint8(at + 1, isCut ? (version === 4 ? GSO_TCPV4 : GSO_TCPV6) : 0);
  view.setUint16(at + 2, headers, true);
  view.setUint16(at + 4, isCut ? segmentSize : 0, true);
  view.setUint16(at + 6, ipLength, true);
  view.setUint16(at + 8, CHECKSUM_OFFSET, true);
}

/** What the kernel says of a packet; one object, filled again for each. */
export class VirtioHeader implements Ingress {
  isVouchedFor = false;
  segmentSize = 0;

  /** Reads the header at `at`. */
  parse(view: DataView, at: number): void {
    this.isVouchedFor = (view.getUint8(at) & (NEEDS_CSUM | DATA_VALID)) !== 0;
    this.segmentSize = view.getUint8(at + 1) === 0 ? 0 : view.getUint16(at + 4, true);
  }
}
