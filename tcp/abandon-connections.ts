import { errnoNumber } from './errno.ts';
import type { Host } from './host.ts';
import { forget } from './move-out.ts';
import type { Pcb } from './pcb.ts';
import { provokePeer } from './reset.ts';
import { State } from './state.ts';

/**
 * What was restored is older than what peers and programs have seen, so nothing true can be sent or read any more: every
 * connection ends with ECONNABORTED, and what it had not read is dropped, for it may have been read since. Listeners stay, and so
 * does what is no connection yet, or had ended and was read to its end.
 */
export function abandonConnections(host: Host, now: number): void {
  for (const pcb of [...host.pcbs.values()]) {
    // Its file may have been written, and used, since.
    if (pcb.STATE === State.MOVED) forget(host, pcb, now);
    else if (isConnection(pcb)) abandon(host, pcb, now);
  }
  for (const waiting of host.waiting.values()) waiting.established.length = 0;
}

function isConnection(pcb: Pcb): boolean {
  return pcb.STATE !== State.LISTEN && (pcb.STATE !== State.CLOSED || pcb.readable > 0);
}

function abandon(host: Host, pcb: Pcb, now: number): void {
  if (pcb.STATE !== State.CLOSED) provokePeer(host, pcb, now);
  pcb.receiveStream.discard(pcb.RECEIVE_END);
  pcb.RECEIVE_START = pcb.RECEIVE_END;
  // Nobody has accepted it, so nobody is left to be told.
  if (pcb.LISTENER !== 0) pcb.CLOSED_BY_USER = 1;
  host.finish(pcb, errnoNumber('ECONNABORTED'));
}
