import { Durability } from './durability.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { seqAdd, seqSub } from './sequence.ts';
import { mayReceiveText, State } from './state.ts';

/**
 * How many of the newest bytes received the peer does not know to have arrived: forgotten, they come again. None where something
 * else is known to follow from them: the peer's FIN, or what a connection with ourselves has let go.
 */
export function unacknowledged(host: Host, pcb: Pcb): number {
  if (!mayReceiveText(pcb.STATE) || pcb.FIN_RECEIVED === 1) return 0;
  if (pcb.DURABILITY !== Durability.PROCESS || host.isOwn(pcb.remoteAddress)) return 0;
  return Math.max(0, seqSub(pcb.RCV_NXT, pcb.LAST_ACK_SENT));
}

/**
 * The last `count` bytes that were read, and all that came after them, have not arrived after all. The peer has not been told that they had, and
 * nothing has left since they were read: so if the connection has moved out since, nobody has seen its file.
 */
export function unreceive(host: Host, pcb: Pcb, count: number): void {
  const state = pcb.STATE === State.MOVED ? pcb.MOVED_FROM : pcb.STATE;
  if (!mayReceiveText(state) || pcb.FIN_RECEIVED === 1) return;
  const from = Math.max(0, pcb.RECEIVE_START - count);
  pcb.RCV_NXT = seqAdd(pcb.RCV_NXT, from - pcb.RECEIVE_END);
  pcb.LAST_ACK_SENT = pcb.RCV_NXT;
  pcb.RECEIVE_START = from;
  pcb.RECEIVE_END = from;
  pcb.reassembly = undefined;
  pcb.receiveStream.reset(from);
  host.changed(pcb);
}
