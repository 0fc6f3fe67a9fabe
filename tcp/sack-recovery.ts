import { reduceForLoss } from './ecn.ts';
import type { Flight } from './flight.ts';
import type { Host } from './host.ts';
import { isOnlyProbeLost, mtuProbeFails } from './mtu-search.ts';
import type { Pcb } from './pcb.ts';
import { beginReduction, reduce } from './proportional-rate-reduction.ts';
import { detectLoss, narrowReorderingWindow, updateRack, widenReorderingWindow } from './rack.ts';
import { seqLessOrEqual, seqLessThan } from './sequence.ts';
import { probeIsAcknowledged } from './tail-loss-probe.ts';
import { keepForUndo } from './undo.ts';
import type { TcpHeader } from './wire/tcp.ts';
import type { TcpOptions } from './wire/tcp-options.ts';

/** Takes over what the SACK blocks of an acceptable ACK say (RFC 2018 section 5). SND.UNA is the segment's already, or later. */
export function sackArrives(pcb: Pcb, flight: Flight, segment: TcpHeader, isNew: boolean): void {
  const { options, SEG_ACK } = segment;
  const { sackCount, sackEdges } = options;
  const first = isDuplicateReport(options, SEG_ACK) ? 1 : 0;
  const isOfProbe = first === 1 && pcb.IS_PROBE_OUT === 1 && sackEdges[1] === pcb.PROBE_END_SEQ;
  const isBare = !isNew && segment.payloadLength === 0 && sackCount === 0;
  probeIsAcknowledged(pcb, SEG_ACK, isOfProbe, isBare);
  if (first === 1 && !isOfProbe) widenReorderingWindow(pcb);
  for (let i = first; i < sackCount; i++) {
    const left = sackEdges[2 * i]!;
    const right = sackEdges[2 * i + 1]!;
    // RFC 5961 section 5.2 in spirit: what was never sent cannot have arrived.
    if (seqLessThan(left, right) && !seqLessThan(pcb.SND_NXT, right)) flight.sack(left, right);
  }
}

/** RFC 2883 section 5: whether the first block is below the cumulative acknowledgment or within the second one. */
function isDuplicateReport(options: TcpOptions, SEG_ACK: number): boolean {
  const { sackCount, sackEdges } = options;
  if (sackCount === 0) return false;
  const left = sackEdges[0]!;
  const right = sackEdges[1]!;
  if (!seqLessThan(left, right)) return false;
  if (seqLessThan(left, SEG_ACK)) return true;
  return (
    sackCount > 1 && seqLessOrEqual(sackEdges[2]!, left) && seqLessOrEqual(right, sackEdges[3]!)
  );
}

/** An acknowledgment of a peer that has agreed on SACK has been taken into `flight`: what does it tell of losses? */
export function recover(
  host: Host,
  pcb: Pcb,
  flight: Flight,
  now: number,
  acknowledged: number,
): void {
  updateRack(pcb, flight, now);
  if (pcb.IN_RECOVERY === 1 && seqLessOrEqual(pcb.recover, pcb.SND_UNA)) leaveRecovery(pcb);
  if (flight.isEmpty) {
    pcb.REORDERING_DEADLINE = 0;
    return;
  }
  flight.renege();
  const lostBefore = flight.lost;
  const wasRecovering = pcb.IN_RECOVERY === 1;
  findLoss(host, pcb, flight, now, flight.delivered, acknowledged);
  if (flight.delivered === 0) return;
  // What has left the path makes room for something new, also before anything is lost (RFC 3042 section 2).
  host.wantOutput(pcb);
  if (pcb.IN_RECOVERY === 0) return;
  const isSafe = wasRecovering && acknowledged > 0 && flight.lost <= lostBefore;
  reduce(pcb, flight.delivered, isSafe);
}

/** What was sent before something delivered has not come for so long that it no longer can be late. */
export function reorderingTimeout(host: Host, pcb: Pcb, now: number): void {
  pcb.REORDERING_DEADLINE = 0;
  if (pcb.flight !== undefined) findLoss(host, pcb, pcb.flight, now, 0, 0);
}

function findLoss(
  host: Host,
  pcb: Pcb,
  flight: Flight,
  now: number,
  delivered: number,
  acknowledged: number,
): void {
  detectLoss(host, pcb, flight, now);
  if (flight.lost === 0) return;
  if (pcb.IN_RECOVERY === 0 && isOnlyProbeLost(pcb)) {
    mtuProbeFails(pcb, pcb.MTU_PROBE_SIZE - 1, now);
    host.wantOutput(pcb);
    return;
  }
  // Before `recover`, a timeout has answered these losses already (RFC 6675 section 5.1).
  if (pcb.IN_RECOVERY === 0 && seqLessOrEqual(pcb.recover, pcb.SND_UNA)) {
    host.counters.TcpExtTCPSackRecovery++;
    enterRecovery(pcb, now);
    beginReduction(pcb, delivered, acknowledged, flight.sacked);
    reduce(pcb, 0, false);
  }
  host.wantOutput(pcb);
}

/** RFC 6675 section 5, step 4. */
function enterRecovery(pcb: Pcb, now: number): void {
  keepForUndo(pcb, now);
  reduceForLoss(pcb);
  pcb.recover = pcb.SND_NXT;
  pcb.IN_RECOVERY = 1;
  pcb.PROBE_DEADLINE = 0;
  pcb.MTU_PROBE_SIZE = 0;
}

function leaveRecovery(pcb: Pcb): void {
  pcb.IN_RECOVERY = 0;
  pcb.cwnd = pcb.ssthresh;
  narrowReorderingWindow(pcb);
}
