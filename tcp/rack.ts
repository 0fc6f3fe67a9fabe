import type { Flight } from './flight.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { seqLessThan } from './sequence.ts';

/** RFC 8985 section 6.2, step 4: so many segments SACKed mean that what was sent before them is lost, and not late. */
const DUP_THRESH = 3;
/** For so many recoveries a reordering window that was widened stays (RFC 8985 section 6.2, step 4). */
const WIDE_FOR_RECOVERIES = 16;
/** Linux's net.ipv4.tcp_min_rtt_wlen: how long the least round-trip time counts, milliseconds. */
const MIN_RTT_LASTS = 300_000;

/** RFC 8985 section 6.2, steps 1 to 3: what the acknowledgment in `flight` tells about the path. */
export function updateRack(pcb: Pcb, flight: Flight, now: number): void {
  if (flight.isReordered) pcb.RACK_REORDERING_SEEN = 1;
  const { deliveredTime, deliveredEnd } = flight;
  if (deliveredTime === -Infinity) return;
  const rtt = now - deliveredTime;
  const isLeast = rtt <= pcb.RACK_MIN_RTT || pcb.RACK_MIN_RTT_AT === 0;
  if (isLeast || now - pcb.RACK_MIN_RTT_AT > MIN_RTT_LASTS) {
    pcb.RACK_MIN_RTT = rtt;
    pcb.RACK_MIN_RTT_AT = now;
  }
  pcb.RACK_RTT = rtt;
  const isLater =
    deliveredTime > pcb.RACK_XMIT_TS ||
    (deliveredTime === pcb.RACK_XMIT_TS && seqLessThan(pcb.RACK_END_SEQ, deliveredEnd));
  if (!isLater) return;
  pcb.RACK_XMIT_TS = deliveredTime;
  pcb.RACK_END_SEQ = deliveredEnd;
}

/**
 * A D-SACK says that a retransmission was not needed: wait longer for what may be reordered, but once in a round trip only
 * (RFC 8985 section 6.2, step 4).
 */
export function widenReorderingWindow(pcb: Pcb): void {
  if (pcb.IS_DSACK_ROUND === 1 && seqLessThan(pcb.SND_UNA, pcb.RACK_DSACK_ROUND)) return;
  pcb.IS_DSACK_ROUND = 1;
  pcb.RACK_DSACK_ROUND = pcb.SND_NXT;
  if (pcb.RACK_REO_WND_MORE < 255) pcb.RACK_REO_WND_MORE++;
  pcb.RACK_REO_WND_PERSIST = WIDE_FOR_RECOVERIES;
}

/** A recovery is over, and in time the reason to wait longer is too. */
export function narrowReorderingWindow(pcb: Pcb): void {
  if (pcb.RACK_REO_WND_PERSIST === 0) return;
  pcb.RACK_REO_WND_PERSIST--;
  if (pcb.RACK_REO_WND_PERSIST === 0) pcb.RACK_REO_WND_MORE = 0;
}

/** RACK_update_reo_wnd (RFC 8985 section 6.2, step 4), milliseconds. */
function reorderingWindow(pcb: Pcb, flight: Flight): number {
  if (pcb.RACK_REORDERING_SEEN === 0) {
    const isSure = pcb.IN_RECOVERY === 1 || flight.sacked >= DUP_THRESH * pcb.SND_MSS;
    if (isSure) return 0;
  }
  return Math.min(((pcb.RACK_REO_WND_MORE + 1) * pcb.RACK_MIN_RTT) / 4, pcb.SRTT);
}

/**
 * RACK_detect_loss (RFC 8985 section 6.2, step 5): lost is what was sent so long before something delivered that it is not
 * merely late. What is not sure yet will be at REORDERING_DEADLINE.
 */
export function detectLoss(host: Host, pcb: Pcb, flight: Flight, now: number): void {
  pcb.REORDERING_DEADLINE = 0;
  if (!flight.isOutOfOrder || pcb.RACK_XMIT_TS === 0) return;
  const patience = pcb.RACK_RTT + reorderingWindow(pcb, flight);
  const last = flight.loseSentBefore(pcb.RACK_XMIT_TS, pcb.RACK_END_SEQ, patience, now);
  if (last === -Infinity) return;
  pcb.REORDERING_DEADLINE = last;
  host.arm(pcb);
}

/**
 * RACK_mark_losses_on_RTO (RFC 8985 section 6.3): lost is the first segment, and what was sent so long ago that its ACK should
 * be here. What was sent just before the timer ran out is still on the path.
 */
export function loseOnTimeout(pcb: Pcb, flight: Flight, now: number): void {
  const patience = pcb.RACK_RTT + reorderingWindow(pcb, flight);
  flight.loseFirst(pcb.SND_MSS);
  flight.loseSentBefore(Infinity, 0, patience, now);
}
