import { errnoNumber } from './errno.ts';
import type { Pcb } from './pcb.ts';
import { State } from './state.ts';

/**
 * The record is older than what the peer and the program have seen, so nothing true can be sent or read any more: the
 * connection has ended with ECONNABORTED. Its user can still learn that. The peer is told when it next asks: its segment
 * belongs to no connection (RFC 9293 section 3.10.7.1). What never was a connection, and what had ended and was read to
 * the end, stays as it is.
 * @param pcb on none of its host's lists yet
 */
export function abandonRecord(pcb: Pcb): void {
  const { STATE } = pcb;
  if (STATE === State.MOVED) {
    if (!pcb.hasFile) return;
    // Its bytes are not there to be written to a file. It stays silent all the same, for another host may speak for it.
    pcb.MOVED_FROM = State.CLOSED;
    pcb.SEND_START = pcb.SEND_END;
    pcb.RECEIVE_START = pcb.RECEIVE_END;
    pcb.END_DEADLINE = 0;
    return;
  }
  if (STATE === State.LISTEN || (STATE === State.CLOSED && pcb.readable === 0)) return;
  pcb.STATE = State.CLOSED;
  pcb.ERROR = errnoNumber('ECONNABORTED');
  pcb.SND_UNA = pcb.sendEndSeq;
  pcb.SEND_START = pcb.SEND_END;
  pcb.RECEIVE_START = pcb.RECEIVE_END;
  pcb.END_DEADLINE = 0;
  if (pcb.LISTENER === 0) return;
  // Nobody has accepted it, so nobody is left to be told.
  pcb.LISTENER = 0;
  pcb.QUEUE_ORDER = 0;
  pcb.CLOSED_BY_USER = 1;
}
