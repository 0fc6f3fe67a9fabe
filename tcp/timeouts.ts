import { errnoNumber } from './errno.ts';
import { reassemblyTimeouts } from './fragment-arrives.ts';
import type { Host } from './host.ts';
import { DEFAULT_KEEPALIVE_COUNT } from './keepalive.ts';
import type { Pcb } from './pcb.ts';
import { resetPeer } from './reset.ts';
import {
  backedOffRto,
  giveUp,
  isUnansweredTooLong,
  retransmissionTimeout,
} from './retransmission-timeout.ts';

import { reorderingTimeout } from './sack-recovery.ts';
import { probeTimeoutExpired } from './tail-loss-probe.ts';

/** The longest wait between two probes, milliseconds; RFC 9293 section 3.8.6.1 only wants it to grow exponentially. */
const MAX_PERSIST = 60_000;

/**
 * How long a connection that its user has closed waits for a window to open, milliseconds: what Linux's back-off of its
 * probes comes to before an orphan is given up (net/ipv4/tcp_timer.c, tcp_probe_timer).
 */
const ORPHAN_PATIENCE = 240_000;

/** All timers that are due at `now` (RFC 9293 section 3.10.8). */
export function timeouts(host: Host, now: number): void {
  reassemblyTimeouts(host, now);
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
  if (isDue(pcb.PACING_DEADLINE, now)) {
    pcb.PACING_DEADLINE = 0;
    host.wantOutput(pcb);
  }
  if (isDue(pcb.PROBE_DEADLINE, now)) probeTimeoutExpired(host, pcb, now);
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
  if (isUnansweredTooLong(pcb, now) || isStuckTooLong(pcb, now)) {
    giveUp(host, pcb, now);
    return;
  }
  if (pcb.UNANSWERED_SINCE === 0) pcb.UNANSWERED_SINCE = now;
  if (pcb.BACKOFF < 255) pcb.BACKOFF++;
  pcb.PERSIST_DEADLINE = now + Math.min(MAX_PERSIST, backedOffRto(pcb));
  pcb.PROBE_NOW = 1;
  host.counters.TcpExtTCPWinProbe++;
  host.wantOutput(pcb);
}

/**
 * A peer that answers may keep its window closed for ever (RFC 9293 section 3.8.6.1), but for two limits: what the user
 * has asked for (RFC 5482; tcp(7), TCP_USER_TIMEOUT), and that of a connection that no user is left to wait for.
 */
function isStuckTooLong(pcb: Pcb, now: number): boolean {
  const stuck = now - pcb.STUCK_SINCE;
  if (pcb.USER_TIMEOUT !== 0 && stuck >= pcb.USER_TIMEOUT) return true;
  return pcb.CLOSED_BY_USER === 1 && stuck >= ORPHAN_PATIENCE;
}

/** The peer has been silent for long: ask, and after enough questions give up (RFC 9293 section 3.8.4). */
function keepaliveTimeout(host: Host, pcb: Pcb, now: number): void {
  const isTimeOver = pcb.USER_TIMEOUT !== 0 && now - pcb.LAST_HEARD >= pcb.USER_TIMEOUT;
  const isCounted = pcb.KEEPALIVE_PROBES >= (pcb.KEEPALIVE_COUNT || DEFAULT_KEEPALIVE_COUNT);
  // As in Linux (tcp_keepalive_timer), the user timeout takes the place of the count.
  if (pcb.USER_TIMEOUT === 0 ? isCounted : isTimeOver && pcb.KEEPALIVE_PROBES > 0) {
    host.counters.TcpExtTCPAbortOnTimeout++;
    resetPeer(host, pcb, now);
    host.finish(pcb, errnoNumber('ETIMEDOUT'));
    return;
  }
  pcb.KEEPALIVE_PROBES++;
  host.counters.TcpExtTCPKeepAlive++;
  pcb.KEEPALIVE_NOW = 1;
  host.wantOutput(pcb);
}
