import { abort, abortWaiting } from './abort.ts';
import type { Host } from './host.ts';
import { forget } from './move-out.ts';
import type { Pcb } from './pcb.ts';
import { maySpeak, State } from './state.ts';
import { TcpError } from './tcp-error.ts';

/** How long an orphan waits for the peer's FIN: Linux's net.ipv4.tcp_fin_timeout. */
export const FIN_WAIT_2_TIMEOUT = 60_000;

/**
 * Sends a FIN after what is queued and goes on receiving: CLOSE as RFC 9293 section 3.10.4 has it. Again is the same
 * as once.
 * @throws TcpError ENOTCONN not connected
 */
export function shutdown(host: Host, pcb: Pcb): void {
  checkConnected(pcb);
  queueFin(host, pcb);
}

/**
 * Reading is at its end, for now and whenever what has arrived is read: shutdown(2) with SHUT_RD as Linux has it. TCP has no
 * word for it: the peer is not told, and what it sends is acknowledged and kept. Again is the same as once.
 * @throws TcpError ENOTCONN not connected
 */
export function shutdownReceive(host: Host, pcb: Pcb): void {
  checkConnected(pcb);
  if (pcb.RCV_SHUTDOWN === 1) return;
  pcb.RCV_SHUTDOWN = 1;
  host.changed(pcb);
}

function checkConnected({ STATE }: Pcb): void {
  if (!maySpeak(STATE) || STATE === State.SYN_SENT) {
    throw new TcpError('ENOTCONN');
  }
}

/** CLOSE (RFC 9293 section 3.10.4) by a program that is done with it: the PCB goes when TCP is done. */
export function close(host: Host, pcb: Pcb, now: number): void {
  pcb.CLOSED_BY_USER = 1;
  // Whoever else waits on it waits in vain, also when the state stays the same.
  host.changed(pcb);
  switch (pcb.STATE) {
    case State.LISTEN:
      abortWaiting(host, pcb, now);
      host.finish(pcb, 0);
      return;
    case State.CLOSED:
    case State.SYN_SENT:
      host.finish(pcb, 0);
      return;
    case State.TIME_WAIT:
      return;
    case State.MOVED:
      forget(host, pcb, now);
      return;
  }
  // Unread bytes are lost to the user, and the peer must learn of it (RFC 9293 section 3.6.1; RFC 2525 section 2.17).
  if (pcb.readable > 0) {
    abort(host, pcb, now);
    return;
  }
  queueFin(host, pcb);
  waitForPeerFin(host, pcb, now);
}

/** Nobody would read what the peer still sends, so FIN-WAIT-2 does not last for ever (RFC 9293 section 3.6.1). */
export function waitForPeerFin(host: Host, pcb: Pcb, now: number): void {
  if (pcb.STATE !== State.FIN_WAIT_2 || pcb.CLOSED_BY_USER === 0) return;
  pcb.END_DEADLINE = now + FIN_WAIT_2_TIMEOUT;
  host.arm(pcb);
}

function queueFin(host: Host, pcb: Pcb): void {
  if (pcb.FIN_QUEUED === 1) return;
  pcb.FIN_QUEUED = 1;
  enterClosing(host, pcb);
  host.wantOutput(pcb);
}

/**
 * The state that a queued FIN leads to. In SYN-RECEIVED it waits for ESTABLISHED if text goes before it, and else leaves
 * before the SYN is acknowledged (RFC 9293 section 3.10.4).
 */
export function enterClosing(host: Host, pcb: Pcb): void {
  const isFirst = pcb.STATE === State.SYN_RECEIVED && pcb.SEND_END === 0;
  if (isFirst || pcb.STATE === State.ESTABLISHED) host.setState(pcb, State.FIN_WAIT_1);
  else if (pcb.STATE === State.CLOSE_WAIT) host.setState(pcb, State.LAST_ACK);
}
