import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';

/** RFC 5961 section 7: "no more than 10 in any 5 second window". */
const MOST_CHALLENGES = 10;
const CHALLENGE_WINDOW = 5000;

/**
 * A challenge ACK (RFC 5961 sections 3.2, 4.2, 5.2): a peer that really has lost its state answers with a reset that fits
 * exactly. The limit is each connection's own: one shared by all lets anybody count other people's challenge ACKs, and
 * so find their sequence numbers (Y. Cao and others, _Off-Path TCP Exploits_, 2016).
 */
export function challengeAck(host: Host, pcb: Pcb, now: number): void {
  if (now - pcb.CHALLENGES_SINCE >= CHALLENGE_WINDOW) {
    pcb.CHALLENGES_SINCE = now;
    pcb.CHALLENGES = 0;
  }
  if (pcb.CHALLENGES >= MOST_CHALLENGES) return;
  pcb.CHALLENGES++;
  host.counters.TcpExtTCPChallengeACK++;
  pcb.ACK_NOW = 1;
  host.wantOutput(pcb);
}
