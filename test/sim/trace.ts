import { ACK, FIN, PSH, RST, SYN, type TcpHeader } from '../../tcp/wire/tcp.ts';
import type { Packet, SegmentPacket } from './packet.ts';
import { type CapturedPacket, pcapOf } from './pcap.ts';

const FLAGS = [
  [SYN, 'SYN'],
  [FIN, 'FIN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [ACK, 'ACK'],
] as const;

function flagsOf(segment: TcpHeader): string {
  return FLAGS.filter(([flag]) => segment.flags & flag)
    .map(([, name]) => name)
    .join(',');
}

/** The name of a host: a letter. */
export function nameOf(host: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + host);
}

/** Where both sides' numbers begin, and how the sender's windows are scaled. */
export interface Numbers {
  readonly iss: number;
  readonly irs: number;
  readonly scale: number;
}

/** What happened, a line each, times in milliseconds; and the packets for other programs to look at. */
export class Trace {
  readonly lines: string[] = [];
  readonly #packets: CapturedPacket[] = [];

  note(at: number, host: number, what: string): void {
    this.lines.push(`${at.toFixed(3)} ${nameOf(host)} ${what}`);
  }

  /** A packet without a segment has left its host. */
  sent(at: number, { from, to, bytes }: Packet, fate: string): void {
    const line = `${nameOf(from)} > ${nameOf(to)} ${bytes.length} bytes: ${fate}`;
    this.lines.push(`${at.toFixed(3)} ${line}`);
    this.#packets.push({ at, bytes });
  }

  /**
   * A segment has left its host, as
   * `time sender > receiver port > port flags seq first:past ack number win bytes: what becomes of it`, numbers from the ISS.
   */
  segmentSent(at: number, packet: SegmentPacket, numbers: Numbers, fate: string): void {
    const { from, to, segment } = packet;
    const { SEG_SEQ, SEG_LEN, SEG_ACK, SEG_WND } = segment;
    const first = (SEG_SEQ - numbers.iss) | 0;
    const ack = segment.flags & ACK ? ` ack ${(SEG_ACK - numbers.irs) | 0}` : '';
    this.lines.push(
      `${at.toFixed(3)} ${nameOf(from)} > ${nameOf(to)} ` +
        `${segment.sourcePort} > ${segment.destinationPort} ${flagsOf(segment)} ` +
        `seq ${first}:${first + SEG_LEN}${ack} win ${SEG_WND * 2 ** numbers.scale}: ${fate}`,
    );
    this.#packets.push({ at, bytes: packet.bytes });
  }

  get pcap(): Uint8Array {
    return pcapOf(this.#packets);
  }
}
