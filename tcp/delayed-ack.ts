import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { State } from './state.ts';

/** Milliseconds that an ACK may wait for text to go with: Linux's TCP_DELACK_MIN; RFC 9293 section 3.8.6.3 allows 500. */
const DELAYED_ACK = 40;
/** RFC 9293 section 3.8.6.3: "at least every second full-sized segment". */
const SEGMENTS_FOR_AN_ACK = 2;
/** Linux's TCP_MAX_QUICKACKS: so many segments of a new connection are acknowledged at once, for the peer is in slow start. */
const QUICK_ACKS = 16;
/** More than can come before an ACK leaves. */
const MOST_SEGMENTS = 0xffff;

/** An ACK must leave, of all that has arrived and in no more parts than one. */
export function acknowledgeNow(host: Host, pcb: Pcb): void {
  pcb.ACK_NOW = 1;
  // Sent after this, they would be duplicates of the new acknowledgment.
  pcb.DUPLICATE_ACKS_OWED = 0;
  host.wantOutput(pcb);
}

/** The peer's FIN has come. After text ours may be near, and takes the acknowledgment along, as in Linux (tcp_fin). */
export function acknowledgeFin(host: Host, pcb: Pcb, now: number): void {
  if (pcb.STATE === State.ESTABLISHED && pcb.RECEIVE_END > 0) acknowledgeLater(host, pcb, now);
  else acknowledgeNow(host, pcb);
}

/** The connection begins: the faster it hears of us, the faster the peer opens its window. */
export function beginQuickAcks(pcb: Pcb): void {
  pcb.QUICK_ACKS = QUICK_ACKS;
}

/**
 * The next text in order has been taken in.
 * @param parts how many segments it came in
 */
export function acknowledgeText(host: Host, pcb: Pcb, parts: number, now: number): void {
  pcb.SEGMENTS_TO_ACK = Math.min(pcb.SEGMENTS_TO_ACK + parts, MOST_SEGMENTS);
  if (pcb.QUICK_ACKS > 0) {
    pcb.QUICK_ACKS = Math.max(0, pcb.QUICK_ACKS - parts);
    acknowledgeNow(host, pcb);
  } else if (pcb.SEGMENTS_TO_ACK >= SEGMENTS_FOR_AN_ACK) {
    acknowledgeNow(host, pcb);
  } else {
    acknowledgeLater(host, pcb, now);
  }
  acknowledgeApart(pcb);
}

/**
 * Segments that wait together are all taken in before the first ACK leaves (RFC 9293 section 3.10.7.4), but one ACK for a whole
 * window would be one packet whose loss stops the peer. So each ACK but the last covers as many segments as all before it:
 * 2, 4, 8, ... That is every second segment of a small window (section 3.8.6.3), and not many ACKs for a large one.
 */
function acknowledgeApart(pcb: Pcb): void {
  const { earlierAcks } = pcb;
  if (pcb.SEGMENTS_TO_ACK >= SEGMENTS_FOR_AN_ACK * 2 ** earlierAcks.length) {
    earlierAcks.push(pcb.RCV_NXT);
  }
}

function acknowledgeLater(host: Host, pcb: Pcb, now: number): void {
  pcb.DELAYED_ACK_DEADLINE = now + DELAYED_ACK;
  host.arm(pcb);
}
