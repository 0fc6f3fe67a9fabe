import type { IpAddress } from './address.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { packetOf } from './segment-writer.ts';
import { seqAdd, seqLessOrEqual } from './sequence.ts';
import { stamp } from './timestamps.ts';
import { ACK, RST, TcpHeader } from './wire/tcp.ts';

/** Kept to be used again for each reset. */
const header = new TcpHeader();

/**
 * A number that the peer does not drop (RFC 9293 section 3.10.7.4, first): SND.NXT, or the last one of its window. SND.NXT is
 * beyond that after a restore, which presumes that everything queued was sent, or when the peer has taken back its window. If
 * the number is not quite what the peer wants it says so (RFC 5961 section 3.2), and the answer to that has the right one.
 */
function acceptableNumber(pcb: Pcb): number {
  const { SND_NXT, SND_UNA, SND_WND } = pcb;
  const left = pcb.isSynOutstanding ? seqAdd(SND_UNA, 1) : SND_UNA;
  if (seqLessOrEqual(SND_NXT, seqAdd(left, SND_WND))) return SND_NXT;
  return seqAdd(left, Math.max(SND_WND, 1) - 1);
}

/**
 * Has the peer say where it is, when we no longer know: a byte before its window, which it answers by an ACK (RFC 9293
 * section 3.10.7.4, first). The answer finds no connection, and the reset that follows has the right number. Without the byte,
 * Linux takes an old timestamp for an old ACK and says nothing (net/ipv4/tcp_input.c, tcp_disordered_ack).
 */
export function provokePeer(host: Host, pcb: Pcb, now: number): void {
  header.options.clear();
  header.sourcePort = pcb.LOCAL_PORT;
  header.destinationPort = pcb.REMOTE_PORT;
  header.SEG_SEQ = seqAdd(pcb.SND_UNA, -1);
  header.SEG_ACK = pcb.RCV_NXT;
  header.flags = ACK;
  stamp(pcb, header, now);
  const { localAddress, remoteAddress } = pcb;
  host.replies.push(packetOf(localAddress, remoteAddress, header, 1), remoteAddress);
}

/** Tells the peer of `pcb` that the connection is gone: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK>. */
export function resetPeer(host: Host, pcb: Pcb, now: number): void {
  header.options.clear();
  header.sourcePort = pcb.LOCAL_PORT;
  header.destinationPort = pcb.REMOTE_PORT;
  header.SEG_SEQ = acceptableNumber(pcb);
  header.SEG_ACK = pcb.RCV_NXT;
  header.flags = RST | ACK;
  stamp(pcb, header, now);
  send(host, pcb.localAddress, pcb.remoteAddress);
}

/**
 * Answers a segment that belongs to no connection (RFC 9293 section 3.10.7.1), or one whose acknowledgment is of
 * something never sent. A reset is not answered.
 * @param source of the segment
 */
export function resetSegment(host: Host, segment: TcpHeader, source: IpAddress): void {
  if (segment.flags & RST) return;
  header.options.clear();
  header.sourcePort = segment.destinationPort;
  header.destinationPort = segment.sourcePort;
  if (segment.flags & ACK) {
    header.SEG_SEQ = segment.SEG_ACK;
    header.SEG_ACK = 0;
    header.flags = RST;
  } else {
    header.SEG_SEQ = 0;
    header.SEG_ACK = seqAdd(segment.SEG_SEQ, segment.SEG_LEN);
    header.flags = RST | ACK;
  }
  send(host, host.addressTowards(source), source);
}

function send(host: Host, source: IpAddress, destination: IpAddress): void {
  host.counters.TcpOutSegs++;
  host.counters.TcpOutRsts++;
  host.replies.push(packetOf(source, destination, header), destination);
}
