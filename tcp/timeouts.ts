import { errnoNumber } from './errno.ts';
import type { Host } from './host.ts';
import { KEEPALIVE_PROBES } from './keepalive.ts';
import type { Pcb } from './pcb.ts';
import { resetPeer } from './reset.ts';
import {
  backedOffRto,
  giveUp,
  isUnansweredTooLong,
  retransmissionTimeout,
} from './retransmission-timeout.ts';

import { reorderingTimeout } from './sack-recovery.ts';

/** The longest wait between two probes, milliseconds; RFC 9293 section 3.8.6.1 only wants it to grow exponentially. */
const MAX_PERSIST = 60_000;

/** All timers that are due at `now` (RFC 9293 section 3.10.8). */
export function timeouts(host: Host, now: number): void {
  for (;;) {
    const pcb = host.timers.popDue(now);
    if (pcb === undefined) return;
    timeout(host, pcb, now);
    if (!pcb.isRemoved) host.arm(pcb);
  }
}

function timeout(host: Host, pcb: Pcb, now: number): void {
  if (isDue(pcb.END_DEADLINE, now)) {
    host.finish(pcb, 0);
    return;
  }
  if (isDue(pcb.DELAYED_ACK_DEADLINE, now)) {
    pcb.DELAYED_ACK_DEADLINE = 0;
    pcb.ACK_NOW = 1;
    host.wantOutput(pcb);
  }
  if (isDue(pcb.REORDERING_DEADLINE, now)) reorderingTimeout(host, pcb, now);
  if (isDue(pcb.RETRANSMISSION_DEADLINE, now)) retransmissionTimeout(host, pcb, now);
  if (isDue(pcb.PERSIST_DEADLINE, now)) persistTimeout(host, pcb, now);
  if (pcb.keepaliveDeadline <= now) keepaliveTimeout(host, pcb, now);
}

function isDue(deadline: number, now: number): boolean {
  return deadline !== 0 && deadline <= now;
}

/** The window has been too small for a round-trip time or more: ask (RFC 9293 section 3.8.6.1). */
function persistTimeout(host: Host, pcb: Pcb, now: number): void {
  if (isUnansweredTooLong(pcb, now)) {
    giveUp(host, pcb, now);
    return;
  }
  if (pcb.UNANSWERED_SINCE === 0) pcb.UNANSWERED_SINCE = now;
  if (pcb.BACKOFF < 255) pcb.BACKOFF++;
  pcb.PERSIST_DEADLINE = now + Math.min(MAX_PERSIST, backedOffRto(pcb));
  pcb.PROBE_NOW = 1;
  host.wantOutput(pcb);
}

/** The peer has been silent for long: ask, and after enough questions give up (RFC 9293 section 3.8.4). */
function keepaliveTimeout(host: Host, pcb: Pcb, now: number): void {
  if (pcb.KEEPALIVE_PROBES >= KEEPALIVE_PROBES) {
    resetPeer(host, pcb, now);
    host.finish(pcb, errnoNumber('ETIMEDOUT'));
    return;
  }
  pcb.KEEPALIVE_PROBES++;
  pcb.KEEPALIVE_NOW = 1;
  host.wantOutput(pcb);
}
