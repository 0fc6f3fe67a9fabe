import { acknowledgeNow, acknowledgeText } from './delayed-ack.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { Reassembly } from './reassembly.ts';
import { noteDuplicate } from './sack-blocks.ts';
import { seqAdd, seqLessThan, seqSub } from './sequence.ts';
import { FIN, type TcpHeader } from './wire/tcp.ts';

/**
 * The text of an acceptable segment, and where its FIN is (RFC 9293 section 3.10.7.4, seventh): what lies in the window
 * goes to its place in the receive stream.
 * @param bytes what the segment was read from
 * @returns whether everything up to the peer's FIN has now arrived
 */
export function textArrives(
  host: Host,
  pcb: Pcb,
  segment: TcpHeader,
  bytes: Uint8Array,
  now: number,
): boolean {
  // Where the text lies, counted from RCV.NXT.
  const first = seqSub(segment.SEG_SEQ, pcb.RCV_NXT);
  const past = first + segment.payloadLength;
  const from = Math.max(first, 0);
  const within = Math.min(past, pcb.RCV_WND);
  const to = Math.min(within, memoryFor(pcb));
  if (to < within) {
    host.counters.TcpExtTCPRcvQDrop++;
    acknowledgeNow(host, pcb);
  }

  reportDuplicate(pcb, first, past);

  const hasFin = (segment.flags & FIN) !== 0;
  // A FIN right behind the window is taken too: it needs no room, and the peer need not ask for some.
  if (hasFin && past <= pcb.RCV_WND && past >= 0) {
    pcb.FIN_AT = seqAdd(pcb.RCV_NXT, past);
    pcb.IS_FIN_AHEAD = 1;
  }
  if (from < to) {
    const at = segment.payloadOffset + (from - first);
    placeText(host, pcb, from, to, bytes, at, segment.parts, now);
    // Who goes on behind its FIN did not send that one. The number comes again, after 4 GiB.
    if (seqLessThan(pcb.FIN_AT, pcb.RCV_NXT)) pcb.IS_FIN_AHEAD = 0;
  } else if (segment.payloadLength > 0 || (hasFin && !isFinNext(pcb))) {
    // Nothing new, or nothing that fits: the peer must learn where we are.
    acknowledgeNow(host, pcb);
  }
  return isFinNext(pcb);
}

/**
 * How many bytes from RCV.NXT there is memory for. Windows are offered to all peers together as if most of them would send nothing:
 * if they all do, those who come late have their text dropped, all but a little of it, and send it again.
 */
function memoryFor(pcb: Pcb): number {
  return pcb.receiveStream.affordable - pcb.readable;
}

function isFinNext(pcb: Pcb): boolean {
  return pcb.IS_FIN_AHEAD === 1 && pcb.FIN_AT === pcb.RCV_NXT;
}

/** Of text at [first, past), counted from RCV.NXT, the first part that had arrived before is reported (RFC 2883 section 4). */
function reportDuplicate(pcb: Pcb, first: number, past: number): void {
  const { RCV_NXT, RECEIVE_END } = pcb;
  if (first < 0) {
    noteDuplicate(pcb, seqAdd(RCV_NXT, first), seqAdd(RCV_NXT, Math.min(past, 0)));
    return;
  }
  const known = pcb.reassembly?.firstCommon(RECEIVE_END + first, RECEIVE_END + past);
  if (known === undefined) return;
  const left = seqAdd(RCV_NXT, known.from - RECEIVE_END);
  noteDuplicate(pcb, left, seqAdd(left, known.to - known.from));
}

/**
 * Puts bytes[at ...] at [from, to), counted from RCV.NXT.
 * @param parts how many segments they came in
 */
function placeText(
  host: Host,
  pcb: Pcb,
  from: number,
  to: number,
  bytes: Uint8Array,
  at: number,
  parts: number,
  now: number,
): void {
  const end = pcb.RECEIVE_END;
  if (from > 0) {
    pcb.reassembly ??= new Reassembly();
    if (pcb.reassembly.add(end + from, end + to)) {
      pcb.receiveStream.write(end + from, bytes, at, at + (to - from));
    }
    oweDuplicateAcks(host, pcb, parts);
    return;
  }
  pcb.receiveStream.write(end, bytes, at, at + to);
  if (pcb.reassembly === undefined) {
    pcb.takeIn(end + to);
    acknowledgeText(host, pcb, parts, now);
  } else {
    pcb.takeIn(pcb.reassembly.advance(end + to));
    if (pcb.reassembly.isEmpty) pcb.reassembly = undefined;
    // RFC 5681 section 4.2: at once when a segment fills a gap, or all or part of one.
    acknowledgeNow(host, pcb);
  }
  host.changed(pcb);
}

/** Text that does not fit, often because it has arrived before: the peer must learn where we are. */
export function duplicateArrives(host: Host, pcb: Pcb, segment: TcpHeader): void {
  const end = seqAdd(segment.SEG_SEQ, segment.payloadLength);
  if (!seqLessThan(pcb.RCV_NXT, end)) noteDuplicate(pcb, segment.SEG_SEQ, end);
  acknowledgeNow(host, pcb);
}

/** Joined segments count one by one: the sender takes each duplicate for a segment that has left the path. */
function oweDuplicateAcks(host: Host, pcb: Pcb, parts: number): void {
  pcb.DUPLICATE_ACKS_OWED = Math.min(pcb.DUPLICATE_ACKS_OWED + parts, 255);
  host.wantOutput(pcb);
}
