import { congestionControlOf } from './congestion-control/selected.ts';
import { Negotiated, type Pcb } from './pcb.ts';
import { seqLessThan } from './sequence.ts';
import { State } from './state.ts';
import { CE, ECT_0 } from './wire/ip.ts';
import { ACK, CWR, ECE, type TcpHeader } from './wire/tcp.ts';

/**
 * Explicit Congestion Notification (RFC 3168 section 6.1): a router whose queue grows marks packets with CE instead of dropping
 * them, the receiver echoes the mark with ECE, and the sender reduces its window and says so with CWR.
 */

const BOTH_WAYS = Negotiated.ECN | Negotiated.ECT;

/** We are willing: our SYN, or SYN and ACK, will say so. */
export function offerEcn(pcb: Pcb): void {
  pcb.NEGOTIATED |= BOTH_WAYS;
}

/** What our SYN says while we are willing (section 6.1.1). */
export function ecnSetupFlags(pcb: Pcb): number {
  if (!isCapable(pcb)) return 0;
  return pcb.STATE === State.SYN_SENT ? ECE | CWR : ECE;
}

/**
 * Whether a SYN, or SYN and ACK, is willing (section 6.1.1). One with ACK that has both flags comes from a peer that gives back
 * all bits it does not know.
 */
export function isEcnSetup({ flags }: TcpHeader): boolean {
  return (flags & (ECE | CWR)) === (flags & ACK ? ECE : ECE | CWR);
}

/** The peer's SYN has come: ECN is for both or for neither. */
export function synchronizeEcn(pcb: Pcb, segment: TcpHeader): void {
  if (!isEcnSetup(segment)) pcb.NEGOTIATED &= ~BOTH_WAYS;
}

/**
 * Our SYN has had no answer: perhaps something on the path drops those that ask (section 6.1.1.1; Linux's tcp_ecn_fallback). If an
 * answer to the first one comes all the same, its marks are echoed, but who has sent a SYN that does not ask must not send ECT.
 */
export function fallBack(pcb: Pcb): void {
  if (pcb.STATE === State.SYN_SENT) pcb.NEGOTIATED &= ~Negotiated.ECT;
}

/** The peer's SYN has come once more: perhaps it has fallen back. */
export function repeatedSynArrives(pcb: Pcb, segment: TcpHeader): void {
  if (!isEcnSetup(segment)) pcb.NEGOTIATED &= ~Negotiated.ECT;
}

/** Text that the peer may send has come (section 6.1.3). A mark on the segment with CWR is a new one. */
export function noteMark(pcb: Pcb, { flags, ecn }: TcpHeader): void {
  if ((pcb.NEGOTIATED & Negotiated.ECN) === 0) return;
  if (flags & CWR) pcb.ECN_ECHO = 0;
  if (ecn === CE) pcb.ECN_ECHO = 1;
}

/** What every ACK says of marks. */
export function echoFlag(pcb: Pcb): number {
  return pcb.ECN_ECHO === 1 ? ECE : 0;
}

/**
 * Lets routers mark `header`'s segment, which has new text. Only that: nobody would notice that a marked ACK or probe was
 * lost, and a retransmission may come from somebody who fakes it (sections 6.1.4 to 6.1.6).
 */
export function makeCapable(pcb: Pcb, header: TcpHeader): void {
  if (!isCapable(pcb)) return;
  header.ecn = ECT_0;
  if (pcb.CWR_NOW === 1) header.flags |= CWR;
}

/** Whether `segment` tells that a router has marked what we sent. The window must not grow by such an ACK (section 6.1.2). */
export function hasEcho(pcb: Pcb, segment: TcpHeader): boolean {
  return (segment.flags & ECE) !== 0 && isCapable(pcb);
}

/** An acceptable ACK: an echo is answered as a loss is, once for each window of text (section 6.1.2). */
export function echoArrives(pcb: Pcb, segment: TcpHeader): void {
  if (seqLessThan(pcb.CWR_END, segment.SEG_ACK)) pcb.IN_CWR = 0;
  if (!hasEcho(pcb, segment) || pcb.IN_CWR === 1) return;
  congestionControlOf(pcb).loss(pcb);
  pcb.cwnd = Math.min(pcb.cwnd, pcb.ssthresh);
  windowReduced(pcb);
}

/** Fast recovery begins. If an echo has reduced the window since the lost text was sent, that was the answer to both. */
export function reduceForLoss(pcb: Pcb): void {
  const isAnswered = pcb.IN_CWR === 1 && seqLessThan(pcb.SND_UNA, pcb.CWR_END);
  if (!isAnswered) congestionControlOf(pcb).loss(pcb);
  windowReduced(pcb);
}

/** The window has been reduced, for whatever reason: the next new text says so (section 6.1.2). */
export function windowReduced(pcb: Pcb): void {
  if (!isCapable(pcb)) return;
  pcb.CWR_NOW = 1;
  pcb.IN_CWR = 1;
  pcb.CWR_END = pcb.SND_NXT;
}

function isCapable(pcb: Pcb): boolean {
  return (pcb.NEGOTIATED & Negotiated.ECT) !== 0;
}
