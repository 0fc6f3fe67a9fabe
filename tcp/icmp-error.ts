import type { IpAddress } from './address.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { seqInWindow, seqSub } from './sequence.ts';
import { State } from './state.ts';

/** The first 8 bytes of a quoted TCP header: both ports and the sequence number (RFC 792). */
const QUOTED_TCP_LENGTH = 8;
/** Where in them the sequence number is. */
export const QUOTED_SEQUENCE_NUMBER = 4;

/**
 * The connection that an ICMP error is about. It is believed only if the segment it quotes is one that is in flight
 * (RFC 5927 section 4.1).
 * @param at where the quoted TCP header is in `view`
 * @param length how many bytes of it are there
 * @param source of the quoted packet: us, if it is a true one
 */
export function connectionOfQuote(
  host: Host,
  view: DataView,
  at: number,
  length: number,
  source: IpAddress,
  destination: IpAddress,
): Pcb | undefined {
  if (length < QUOTED_TCP_LENGTH) return undefined;
  const localPort = view.getUint16(at);
  const pcb = host.connections.find(source, localPort, destination, view.getUint16(at + 2));
  return pcb !== undefined && isInFlight(pcb, view.getUint32(at + QUOTED_SEQUENCE_NUMBER))
    ? pcb
    : undefined;
}

function isInFlight(pcb: Pcb, SEG_SEQ: number): boolean {
  return seqInWindow(SEG_SEQ, pcb.SND_UNA, seqSub(pcb.SND_NXT, pcb.SND_UNA));
}

/**
 * `pcb`'s segments do not arrive (RFC 9293 section 3.9.2.2). Before the handshake is done that ends the attempt, as in Linux
 * (RFC 5461 section 4.1); later it is soft: no more than the reason to be given should the connection time out.
 * @param errno 0: no error of the connection
 */
export function unreachableErrorArrives(host: Host, pcb: Pcb, errno: number): void {
  if (errno === 0) return;
  if (pcb.STATE === State.SYN_SENT) host.finish(pcb, errno);
  else pcb.SOFT_ERROR = errno;
}
