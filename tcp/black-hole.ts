import { textOfMtu } from './largest-segment.ts';
import { mtuProbeFails } from './mtu-search.ts';
import type { Pcb } from './pcb.ts';
import { seqSub } from './sequence.ts';
import { IPV6_MIN_MTU } from './wire/ipv6.ts';

/** So many timeouts in a row, with no answer between, are no accident: Linux's tcp_retries1, MAX_PROBES of RFC 8899 section 5.1.2. */
const PATIENCE = 3;
/** What nearly every path carries (RFC 4821 section 7.2), and what every host takes (RFC 791 section 3.1). */
const SAFE_IPV4_MTUS = [1024, 576];
/** What every path carries. */
const SAFE_IPV6_MTUS = [IPV6_MIN_MTU];

/**
 * The retransmission timer has run out. If that goes on, and what is lost is large, links may drop what is too long for them
 * in silence (RFC 2923 section 2.1): smaller segments are tried, as Linux does with tcp_mtu_probing = 1 (net/ipv4/tcp_timer.c,
 * tcp_mtu_probing). If it was something else, the search that follows ends with its first probe.
 */
export function suspectBlackHole(pcb: Pcb, now: number): void {
  if (pcb.MTU_PROBE_SIZE !== 0) {
    // Of a probe that other text went before, the timeout tells nothing (RFC 4821 section 7.6.3), but it ends the trial.
    if (pcb.SND_UNA === pcb.MTU_PROBE_SEQ) mtuProbeFails(pcb, pcb.MTU_PROBE_SIZE - 1, now);
    pcb.MTU_PROBE_SIZE = 0;
  }
  if (pcb.TIMEOUTS_IN_A_ROW < PATIENCE) return;
  const lost = Math.min(pcb.SND_MSS, seqSub(pcb.SND_NXT, pcb.SND_UNA));
  const mtus = pcb.remoteAddress.isIpv4 ? SAFE_IPV4_MTUS : SAFE_IPV6_MTUS;
  const size = mtus.map((mtu) => textOfMtu(pcb, mtu)).find((safe) => safe < lost);
  if (size === undefined) return;
  pcb.SEARCH_HIGH = Math.max(pcb.SEARCH_HIGH, pcb.SND_MSS);
  pcb.IS_BISECTING = 0;
  pcb.SND_MSS = size;
}
