import type { Pcb } from './pcb.ts';
import { R2 } from './retransmission-timeout.ts';
import { State } from './state.ts';

/** What Linux's tcp_synack_retries = 5, and tcp_syn_retries = 6 with tcp_syn_linear_timeouts = 4, come to at the least, milliseconds. */
const IN_HANDSHAKE = 63_000;
/** Linux's tcp_fin_timeout: how long FIN-WAIT-2 lasts when the peer's program is gone, milliseconds. */
const FIN_WAIT_2 = 60_000;

/**
 * How long the peer would wait for us if we fell silent now, milliseconds; undefined when it does not wait for anything. Whether it
 * has something on its way to us we cannot know: with text that nobody acknowledges it gives up soonest, so that is assumed, and
 * that it is a Linux of the usual settings unless it has told its user timeout (RFC 5482). With nothing on its way it waits for
 * ever, but for keep-alives that it may send. RFC 9293 section 3.8.3 (SHLD-11) wants 100 seconds at the least.
 */
export function peerPatience(pcb: Pcb): number | undefined {
  switch (pcb.STATE) {
    case State.SYN_SENT:
    case State.SYN_RECEIVED:
      return IN_HANDSHAKE;
    case State.ESTABLISHED:
    case State.FIN_WAIT_1:
    case State.FIN_WAIT_2:
      return pcb.REMOTE_UTO || R2;
    case State.CLOSE_WAIT:
    case State.CLOSING:
    case State.LAST_ACK:
      // All that it has sent is acknowledged. What is left to it is to wait for our FIN.
      return FIN_WAIT_2;
    default:
      return undefined;
  }
}
