import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';

/**
 * Spreads new text over the round trip instead of sending in bursts what an acknowledgment has made room for, for queues on
 * the path that are too short for those.
 */

/** What is due within this time leaves together: turns are not shorter, milliseconds. */
const QUANTUM = 1;
/** Linux's net.ipv4.tcp_pacing_ss_ratio and tcp_pacing_ca_ratio: faster than cwnd asks for, so that it is cwnd that limits. */
const SLOW_START_GAIN = 2;
const AVOIDANCE_GAIN = 1.2;

/** Whether new text has to wait. If so, the PCB is looked at again when the time has come. */
export function mustWait(host: Host, pcb: Pcb, now: number): boolean {
  if (pcb.PACING === 0 || pcb.PACED_UNTIL <= now + QUANTUM) return false;
  pcb.PACING_DEADLINE = pcb.PACED_UNTIL - QUANTUM;
  host.arm(pcb);
  return true;
}

/** `length` bytes of new text leave. Before the round-trip time is known they set no pace. */
export function textLeaves(pcb: Pcb, length: number, now: number): void {
  const { PACING, SRTT, cwnd, ssthresh } = pcb;
  if (PACING === 0 || SRTT === 0) return;
  const gain = cwnd < ssthresh ? SLOW_START_GAIN : AVOIDANCE_GAIN;
  const rate = (gain * cwnd) / SRTT;
  // A turn that came late makes up for it, but not for a time with nothing to send.
  pcb.PACED_UNTIL = Math.max(pcb.PACED_UNTIL, now - QUANTUM) + length / rate;
}
