import { ipVersion } from './ip.ts';
import {
  DESTINATION_OPTIONS,
  extensionLength,
  FRAGMENT,
  FRAGMENT_HEADER_LENGTH,
  HOP_BY_HOP_OPTIONS,
  IPV6_HEADER_LENGTH,
  ROUTING,
} from './ipv6.ts';

/** What stands behind all headers of IP. */
export interface UpperLayer {
  readonly protocol: number;
  /** Bytes from the start of the packet. */
  readonly at: number;
}

/**
 * Follows the headers of the packet at view[offset, offset + length) without judging them; its first header is sound.
 * @returns undefined when they go on beyond the packet, or are in another fragment
 */
export function findUpperLayer(
  view: DataView,
  offset: number,
  length: number,
): UpperLayer | undefined {
  if (ipVersion(view, offset, length) === 6) return followChain(view, offset, length);
  if ((view.getUint16(offset + 6) & 0x1fff) !== 0) return undefined;
  return { protocol: view.getUint8(offset + 9), at: (view.getUint8(offset) & 15) << 2 };
}

function followChain(view: DataView, offset: number, end: number): UpperLayer | undefined {
  let protocol = view.getUint8(offset + 6);
  for (let at = IPV6_HEADER_LENGTH; ; ) {
    let length: number;
    switch (protocol) {
      case HOP_BY_HOP_OPTIONS:
      case DESTINATION_OPTIONS:
      case ROUTING:
        length = extensionLength(view, offset, at, end);
        break;
      case FRAGMENT:
        length = FRAGMENT_HEADER_LENGTH;
        break;
      default:
        return { protocol, at };
    }
    if (at + length > end) return undefined;
    if (protocol === FRAGMENT && view.getUint16(offset + at + 2) >= 8) return undefined;
    protocol = view.getUint8(offset + at);
    at += length;
  }
}
