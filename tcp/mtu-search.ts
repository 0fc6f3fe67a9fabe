import type { Pcb } from './pcb.ts';
import { seqInWindow, seqLessOrEqual, seqLessThan, seqSub } from './sequence.ts';

/**
 * Packetization layer path MTU discovery (RFC 4821 section 7, RFC 8899): a segment of text larger than those that are known to
 * get through is sent, and if it arrives, so do others. All sizes are bytes of text in a segment.
 */

/** A search that can gain no more is over: Linux's net.ipv4.tcp_probe_threshold. */
const SMALLEST_GAIN = 8;
/** How long until a larger size is tried again: RFC 8201 section 4, RFC 8899 section 5.1.1 (PMTU_RAISE_TIMER), milliseconds. */
const RAISE_INTERVAL = 600_000;
/** So many segments must follow a probe, by whose acknowledgments its loss is seen at once (RFC 4821 section 7.3). */
const FOLLOWERS = 3;

/**
 * The size of the segment to probe the path with now; 0: none. One leaves only
 * while nothing is lost that could be taken for the probe's loss.
 * @param unsent bytes that the peer's window and the send stream have beyond SND.NXT
 */
export function mtuProbeSize(pcb: Pcb, unsent: number, now: number): number {
  if (pcb.SND_MSS === pcb.MAX_SND_MSS || pcb.MTU_PROBE_SIZE !== 0) return 0;
  if (!isUndisturbed(pcb)) return 0;
  if (!isSearching(pcb)) {
    if (now - pcb.SEARCHED_AT < RAISE_INTERVAL) return 0;
    pcb.SEARCH_HIGH = pcb.MAX_SND_MSS;
    pcb.IS_BISECTING = 0;
  }
  const size = nextSize(pcb);
  const needed = size + FOLLOWERS * pcb.SND_MSS;
  return needed <= unsent && needed <= pcb.cwnd - pcb.pipe ? size : 0;
}

function isUndisturbed({ flight, IN_RECOVERY, SND_UNA, recover, RESUMING }: Pcb): boolean {
  if (IN_RECOVERY === 1 || RESUMING === 1 || seqLessThan(SND_UNA, recover)) return false;
  return flight === undefined || (flight.lost === 0 && flight.sacked === 0);
}

function isSearching(pcb: Pcb): boolean {
  return pcb.SEARCH_HIGH - pcb.SND_MSS >= SMALLEST_GAIN;
}

/** The largest first: more paths are merely down for a while than have a black hole. After that, the middle. */
function nextSize({ SND_MSS, SEARCH_HIGH, IS_BISECTING }: Pcb): number {
  return IS_BISECTING === 0 ? SEARCH_HIGH : Math.ceil((SND_MSS + SEARCH_HIGH) / 2);
}

/** A probe of `size` leaves as [from, to). */
export function mtuProbeLeaves(pcb: Pcb, size: number, from: number, to: number): void {
  pcb.MTU_PROBE_SIZE = size;
  pcb.MTU_PROBE_SEQ = from;
  pcb.MTU_PROBE_END = to;
}

/** Whether the segment that begins at `SEG_SEQ` is the probe that is out. */
export function isNumberOfProbe(pcb: Pcb, SEG_SEQ: number): boolean {
  return pcb.MTU_PROBE_SIZE !== 0 && SEG_SEQ === pcb.MTU_PROBE_SEQ;
}

/** SND.UNA has moved: has the probe arrived, or else what was sent in its place? */
export function mtuProbeIsAcknowledged(pcb: Pcb, now: number): void {
  const { MTU_PROBE_SIZE, MTU_PROBE_END, SND_UNA } = pcb;
  if (MTU_PROBE_SIZE === 0 || seqLessThan(SND_UNA, MTU_PROBE_END)) return;
  pcb.MTU_PROBE_SIZE = 0;
  if (MTU_PROBE_SIZE > pcb.SEARCH_HIGH) return;
  pcb.SND_MSS = MTU_PROBE_SIZE;
  pcb.cwnd = Math.max(pcb.cwnd, pcb.SND_MSS);
  if (!isSearching(pcb)) pcb.SEARCHED_AT = now;
}

/**
 * Whether the probe is all that is lost. That says that it was too large, and nothing of congestion (RFC 4821 section 7.6.2); if
 * more is lost, it says nothing (section 7.6.4).
 */
export function isOnlyProbeLost(pcb: Pcb): boolean {
  const { flight, MTU_PROBE_SIZE, MTU_PROBE_SEQ, MTU_PROBE_END } = pcb;
  if (MTU_PROBE_SIZE === 0 || flight === undefined) return false;
  const { firstLost, firstLostEnd, lost } = flight;
  return (
    seqInWindow(firstLost, MTU_PROBE_SEQ, seqSub(MTU_PROBE_END, MTU_PROBE_SEQ)) &&
    seqLessOrEqual(firstLostEnd, MTU_PROBE_END) &&
    seqSub(firstLostEnd, firstLost) === lost
  );
}

/** The probe was too large, and what is not is `most` or less. It stays the probe until what it carried is acknowledged. */
export function mtuProbeFails(pcb: Pcb, most: number, now: number): void {
  if (most >= pcb.SEARCH_HIGH) return;
  pcb.SEARCH_HIGH = Math.max(pcb.SND_MSS, most);
  pcb.IS_BISECTING = 1;
  if (!isSearching(pcb)) pcb.SEARCHED_AT = now;
}
