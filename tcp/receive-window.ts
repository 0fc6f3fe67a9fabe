import type { Host } from './host.ts';
import { mssToOffer } from './largest-segment.ts';
import type { Pcb } from './pcb.ts';
import { seqAdd, seqSub } from './sequence.ts';
import { mayReceiveText } from './state.ts';
import { timestampsSize } from './timestamps.ts';
import { MAX_WINDOW_SCALE } from './wire/tcp-options.ts';

const MAX_WINDOW_FIELD = 0xffff;

/** The window offered in a SYN, which is never scaled (RFC 7323 section 2.2), bytes. */
export function initialReceiveWindow(pcb: Pcb): number {
  return Math.min(MAX_WINDOW_FIELD, pcb.receiveSpace);
}

/** What the field of a SYN can say of the window: one that goes out again may follow a segment that has offered more. */
export function windowOfSyn(pcb: Pcb): number {
  return Math.min(MAX_WINDOW_FIELD, pcb.RCV_WND);
}

/** The least Rcv.Wind.Shift that lets the window field say `buffer` bytes (RFC 7323 section 2.3). */
export function windowScaleFor(buffer: number): number {
  let scale = 0;
  while (scale < MAX_WINDOW_SCALE && MAX_WINDOW_FIELD * 2 ** scale < buffer) scale++;
  return scale;
}

/** How many bytes from RCV.NXT could be kept: what is offered already, if nothing more can. */
function spaceToOffer(host: Host, pcb: Pcb): number {
  return host.hasRoom && !host.isFreezing ? pcb.receiveSpace : pcb.RCV_WND;
}

/**
 * How many bytes from RCV.NXT to offer. The right edge stays where it is until it can move by a segment or half of the
 * buffer (RFC 9293 section 3.8.6.2.2), and never moves back.
 */
function windowToOffer(host: Host, pcb: Pcb): number {
  const offered = pcb.RCV_WND;
  const unit = 2 ** pcb.RCV_WSCALE;
  // One unit is held back for `windowField` to round up into.
  const space = Math.floor((spaceToOffer(host, pcb) - (unit - 1)) / unit) * unit;
  const room = Math.min(space, MAX_WINDOW_FIELD * unit);
  const segment = mssToOffer(host.mtu, pcb, pcb.remoteAddress) - timestampsSize(pcb);
  const step = Math.min(pcb.receiveRoom / 2, segment);
  return room - offered >= step ? room : offered;
}

/**
 * SEG.WND for a segment that leaves now with SEG.ACK = `ack`, at or before RCV_NXT; moves RCV_ADV. The field counts in units of 2**RCV_WSCALE, so an edge between two of
 * them is rounded up rather than taken back. Only when the buffer has no room for that, because the peer sends crumbs,
 * does the edge seem to move back by less than a unit (RFC 7323 section 2.4); RCV_ADV still honours the old one.
 */
export function offerWindow(host: Host, pcb: Pcb, ack: number): number {
  if (pcb.WINDOW_SHUT === 1) return 0;
  const unit = 2 ** pcb.RCV_WSCALE;
  const taken = seqSub(pcb.RCV_NXT, ack);
  const window = taken + windowToOffer(host, pcb);
  const up = Math.ceil(window / unit);
  const units = up * unit <= taken + spaceToOffer(host, pcb) ? up : Math.floor(window / unit);
  const field = Math.min(units, MAX_WINDOW_FIELD);
  pcb.offer(seqAdd(ack, field * unit));
  return field;
}

/** Whether reading has opened the window so far that the peer should hear of it without having sent anything. */
export function isWindowUpdateDue(host: Host, pcb: Pcb): boolean {
  // A window that only the SYN kept small opens with the first acknowledgment.
  if (!mayReceiveText(pcb.STATE) || pcb.RECEIVE_START === 0) return false;
  if (pcb.WINDOW_SHUT === 1) return false;
  const offered = pcb.RCV_WND;
  // As Linux does (net/ipv4/tcp.c, __tcp_cleanup_rbuf): while less than half is used up, ACKs carry the news.
  if (2 * offered > pcb.receiveSpace) return false;
  const window = windowToOffer(host, pcb);
  return window > offered && window >= 2 * offered;
}
