import type { IpAddress } from './address.ts';
import type { Host } from './host.ts';
import type { Pcb } from './pcb.ts';
import { packetOf } from './segment-writer.ts';
import { seqAdd } from './sequence.ts';
import { stamp } from './timestamps.ts';
import { ACK, RST, TcpHeader } from './wire/tcp.ts';

/** Kept to be used again for each reset. */
const header = new TcpHeader();

/** Tells the peer of `pcb` that the connection is gone: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK>. */
export function resetPeer(host: Host, pcb: Pcb, now: number): void {
  header.options.clear();
  header.sourcePort = pcb.LOCAL_PORT;
  header.destinationPort = pcb.REMOTE_PORT;
  header.SEG_SEQ = pcb.SND_NXT;
  header.SEG_ACK = pcb.RCV_NXT;
  header.flags = RST | ACK;
  stamp(pcb, header, now);
  const { localAddress, remoteAddress } = pcb;
  host.replies.push(packetOf(localAddress, remoteAddress, header), remoteAddress);
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
  host.replies.push(packetOf(host.addressTowards(source), source, header), source);
}
