import { Negotiated, type Pcb } from './pcb.ts';
import { seqAdd, seqLessThan, seqSub } from './sequence.ts';
import { hasTimestamps } from './timestamps.ts';
import type { TcpHeader } from './wire/tcp.ts';
import { MAX_SACK_BLOCKS, type TcpOptions } from './wire/tcp-options.ts';

/** With timestamps there is room for so many blocks (RFC 2018 section 3). */
const BLOCKS_WITH_TIMESTAMPS = 3;

/** Whether the SYNs have agreed on SACK. */
export function hasSack(pcb: Pcb): boolean {
  return (pcb.NEGOTIATED & Negotiated.SACK) !== 0;
}

/** How many blocks the next segment has. */
function blockCount(pcb: Pcb): number {
  if (!hasSack(pcb)) return 0;
  const most = hasTimestamps(pcb) ? BLOCKS_WITH_TIMESTAMPS : MAX_SACK_BLOCKS;
  const ranges = pcb.reassembly?.mostRecentFirst.length ?? 0;
  return Math.min(most, ranges + (hasDsack(pcb) ? 1 : 0));
}

/** The part of the next segment that is not left for text because of its SACK option, bytes. */
export function sackSize(pcb: Pcb): number {
  const count = blockCount(pcb);
  return count === 0 ? 0 : 4 + 8 * count;
}

/**
 * Says what has arrived beyond RCV.NXT: the range that changed last first (RFC 2018 section 4), and before it a duplicate that
 * has not been reported (RFC 2883 section 4).
 */
export function putSackBlocks(pcb: Pcb, header: TcpHeader): void {
  const count = blockCount(pcb);
  if (count === 0) return;
  const { options } = header;
  if (hasDsack(pcb)) putBlock(options, pcb.DSACK_LEFT, pcb.DSACK_RIGHT);
  const { reassembly } = pcb;
  for (let i = 0; options.sackCount < count; i++) {
    const range = reassembly!.mostRecentFirst[i]!;
    const left = seqAdd(pcb.RCV_NXT, range.from - pcb.RECEIVE_END);
    putBlock(options, left, seqAdd(left, range.to - range.from));
  }
}

function putBlock(options: TcpOptions, left: number, right: number): void {
  options.sackEdges[2 * options.sackCount] = left;
  options.sackEdges[2 * options.sackCount + 1] = right;
  options.sackCount++;
}

export function hasDsack(pcb: Pcb): boolean {
  return pcb.DSACK_LEFT !== pcb.DSACK_RIGHT;
}

/** [left, right) has arrived that had arrived before. What cannot have been sent to us lately is not worth a word. */
export function noteDuplicate(pcb: Pcb, left: number, right: number): void {
  if (!seqLessThan(left, right) || seqSub(pcb.RCV_NXT, left) > pcb.RECEIVE_END) return;
  pcb.DSACK_LEFT = left;
  pcb.DSACK_RIGHT = right;
}
