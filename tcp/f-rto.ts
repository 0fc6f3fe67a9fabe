import type { Flight } from './flight.ts';
import type { Pcb } from './pcb.ts';
import { hasSack } from './sack-blocks.ts';
import { seqLessOrEqual, seqLessThan } from './sequence.ts';

/**
 * F-RTO (RFC 5682): was a retransmission timeout spurious? After it only the first segment is sent again, then new text
 * instead of the rest. If what was not sent again is acknowledged nevertheless, it was only late.
 */

/** Values of `pcb.F_RTO`. */
const OFF = 0;
/** Only the first segment was sent again, and nothing new has been acknowledged (step 2). */
const FIRST_IS_OUT = 1;
/** The next to leave is new text, or it has left (step 3). */
const NEW_TEXT = 2;

/**
 * The retransmission timer has run out (section 2.1, step 1). `recover` is still that of what happened before. When the timer
 * runs out again and nothing has been heard since, it is still only the first segment that was sent again, as in Linux
 * (tcp_enter_loss).
 * @returns whether this is a loss of its own and not part of a recovery
 */
export function beginFrto(pcb: Pcb): boolean {
  if (pcb.F_RTO === FIRST_IS_OUT) return false;
  const isRecovering = pcb.IN_RECOVERY === 1 || seqLessThan(pcb.SND_UNA, pcb.recover);
  pcb.F_RTO = isRecovering ? OFF : FIRST_IS_OUT;
  return !isRecovering;
}

/** Whether new text goes before what is lost (section 2.1, step 2b). */
export function isNewTextFirst(pcb: Pcb): boolean {
  return pcb.F_RTO === NEW_TEXT;
}

/** All that may leave has. If none of it was new, the question cannot be put, and what is lost is sent again (step 2b). */
export function isInVain(pcb: Pcb): boolean {
  if (pcb.F_RTO !== NEW_TEXT || pcb.SND_NXT !== pcb.recover) return false;
  pcb.F_RTO = OFF;
  return true;
}

/**
 * An acknowledgment has been taken into `flight`: with SACK section 3.1, without it section 2.1.
 * @param isNew whether SND.UNA has advanced
 * @param isDuplicate whether it is a duplicate ACK (RFC 5681 section 2)
 * @returns whether it shows that the timeout was spurious
 */
export function showsSpuriousTimeout(
  pcb: Pcb,
  flight: Flight,
  isNew: boolean,
  isDuplicate: boolean,
): boolean {
  if (pcb.F_RTO === OFF) return false;
  const isEnd = isDuplicate && !hasSack(pcb);
  if (pcb.F_RTO === FIRST_IS_OUT) {
    if (isEnd) pcb.F_RTO = OFF;
    else if (isNew) firstAcknowledged(pcb);
    return false;
  }
  return (isEnd || flight.delivered > 0) && nextAcknowledged(pcb, flight);
}

/** Step 2. */
function firstAcknowledged(pcb: Pcb): void {
  if (seqLessOrEqual(pcb.recover, pcb.SND_UNA)) {
    pcb.F_RTO = OFF;
    return;
  }
  pcb.F_RTO = NEW_TEXT;
  // Two new segments.
  pcb.cwnd = pcb.pipe + 2 * pcb.SND_MSS;
}

/** Step 3. If some of the new text is delivered and not all before it, the timeout was right. */
function nextAcknowledged(pcb: Pcb, flight: Flight): boolean {
  const isNewTextThere = seqLessThan(pcb.recover, flight.highestDelivered);
  if (flight.lostArrived > 0 && !isNewTextThere) return true;
  pcb.F_RTO = OFF;
  // So far slow start would have come in these two round trips.
  pcb.cwnd = 3 * pcb.SND_MSS;
  if (!hasSack(pcb)) loseNewText(pcb, flight);
  return false;
}

/** The peer may have had no room for text behind a gap, and without SACK nothing else would tell: go back to the gap, as ever. */
function loseNewText(pcb: Pcb, flight: Flight): void {
  flight.loseAll();
  pcb.recover = pcb.SND_NXT;
}
