import type { Pcb } from '../pcb.ts';

/**
 * Decides how much may be in flight, through `pcb.cwnd` and `pcb.ssthresh` (RFC 5681 section 2), both in bytes.
 * What happens during fast recovery is RFC 9937's or RFC 6582's and not its business.
 */
export interface CongestionControl {
  /** The handshake is done, or the connection restored. */
  start(pcb: Pcb): void;
  /** The user has chosen it in place of another: `cwnd` and `ssthresh` stay. */
  adopt(pcb: Pcb): void;
  /**
   * The peer has acknowledged `count` new bytes outside of loss recovery.
   * @param rtt how long those that left last had been on their way, milliseconds; Infinity: not known
   */
  acknowledged(pcb: Pcb, count: number, rtt: number, now: number): void;
  /** Duplicate ACKs tell of a loss: sets ssthresh. */
  loss(pcb: Pcb): void;
  /** The retransmission timer has run out; `isFirst`: for the first time since something was acknowledged. */
  timeout(pcb: Pcb, isFirst: boolean): void;
  /** Nothing was sent for longer than the retransmission timeout (RFC 5681 section 4.1). */
  idle(pcb: Pcb, now: number): void;
}
