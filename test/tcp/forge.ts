import { parseAddress } from '../../tcp/address.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { hasTimestamps } from '../../tcp/timestamps.ts';
import { pseudoHeaderSum } from '../../tcp/wire/checksum.ts';
import { emitIp, ipHeaderLength } from '../../tcp/wire/ip.ts';
import { PROTOCOL_TCP } from '../../tcp/wire/ipv4.ts';
import { ACK, emitTcp, TcpHeader, tcpHeaderLength } from '../../tcp/wire/tcp.ts';

export interface Forged {
  readonly SEG_SEQ: number;
  readonly SEG_ACK?: number;
  readonly SEG_WND?: number;
  readonly flags: number;
  readonly text?: Uint8Array;
  readonly mss?: number;
  /** Left and right edge of each block. */
  readonly sack?: readonly (readonly [number, number])[];
  readonly timestamps?: { readonly value: number; readonly echo: number } | undefined;
}

/** The u32 of a dotted quad. */
export function ipv4(text: string): number {
  return parseAddress(text)!.ipv4;
}

/** An IP packet, of the version that the addresses are of. */
export function packet(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
): Uint8Array {
  const from = parseAddress(source)!;
  const to = parseAddress(destination)!;
  const bytes = new Uint8Array(ipHeaderLength(to) + payload.length);
  bytes.set(payload, ipHeaderLength(to));
  emitIp(new DataView(bytes.buffer), 0, from, to, protocol, 64, 0, 0, payload.length);
  return bytes;
}

/** A packet with a TCP segment. */
export function segment(
  source: { address: string; port: number },
  destination: { address: string; port: number },
  forged: Forged,
): Uint8Array {
  const header = new TcpHeader();
  header.sourcePort = source.port;
  header.destinationPort = destination.port;
  header.SEG_SEQ = forged.SEG_SEQ >>> 0;
  header.SEG_ACK = (forged.SEG_ACK ?? 0) >>> 0;
  header.SEG_WND = forged.SEG_WND ?? 1024;
  header.flags = forged.flags | (forged.SEG_ACK === undefined ? 0 : ACK);
  if (forged.mss !== undefined) {
    header.options.hasMss = true;
    header.options.mss = forged.mss;
  }
  if (forged.timestamps !== undefined) {
    header.options.hasTimestamps = true;
    header.options.timestampValue = forged.timestamps.value >>> 0;
    header.options.timestampEcho = forged.timestamps.echo >>> 0;
  }
  for (const [left, right] of forged.sack ?? []) {
    header.options.sackEdges.set([left, right], 2 * header.options.sackCount++);
  }
  const text = forged.text ?? new Uint8Array(0);
  const length = tcpHeaderLength(header) + text.length;
  const payload = new Uint8Array(length);
  payload.set(text, tcpHeaderLength(header));
  const from = parseAddress(source.address)!;
  const to = parseAddress(destination.address)!;
  const sum = pseudoHeaderSum(from, to, PROTOCOL_TCP, length);
  emitTcp(new DataView(payload.buffer), 0, header, text.length, sum);
  return packet(source.address, destination.address, PROTOCOL_TCP, payload);
}

/** A segment that `pcb` takes for its peer's: with the timestamps it expects, if none are given. */
export function fromPeer(pcb: Pcb, forged: Forged): Uint8Array {
  const timestamps = hasTimestamps(pcb) ? { value: pcb.TS_RECENT, echo: 0 } : undefined;
  return segment(pcb.remote!, pcb.local!, { timestamps, ...forged });
}
