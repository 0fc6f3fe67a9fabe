import { IpAddress } from '../address.ts';
import { RecordError } from '../record-error.ts';
import type { UdpPcb } from './udp-pcb.ts';

/**
 * What stands before each datagram in the receive stream: the addresses of source and destination as four u32 each, the port of the
 * source, and how many bytes follow, both u16; all big-endian. It is part of the store's layout.
 */
const HEAD_LENGTH = 36;
const DESTINATION = 16;
const SOURCE_PORT = 32;
const LENGTH = 34;

/** A datagram that waits to be read. */
export interface Datagram {
  readonly source: IpAddress;
  readonly sourcePort: number;
  /** Which of the stack's own addresses it was sent to. */
  readonly destination: IpAddress;
  /** Bytes. */
  readonly length: number;
}

/** Kept to be used again for each datagram. */
const head = new Uint8Array(HEAD_LENGTH);
const view = new DataView(head.buffer);

/**
 * Puts a datagram, whose payload is bytes[offset, offset + datagram.length), behind those that wait.
 * @returns false when there is no room for it
 */
export function enqueue(
  pcb: UdpPcb,
  datagram: Datagram,
  bytes: Uint8Array,
  offset: number,
): boolean {
  const { receiveStream: stream } = pcb;
  const { length } = datagram;
  const room = Math.min(stream.limit, stream.affordable) - stream.length;
  if (HEAD_LENGTH + length > room) return false;
  putAddress(0, datagram.source);
  putAddress(DESTINATION, datagram.destination);
  view.setUint16(SOURCE_PORT, datagram.sourcePort);
  view.setUint16(LENGTH, length);
  stream.append(head);
  stream.append(bytes, offset, offset + length);
  pcb.RECEIVE_END = stream.end;
  return true;
}

/** The oldest that waits; undefined when none does. */
export function firstDatagram(pcb: UdpPcb): Datagram | undefined {
  return pcb.isReadable ? datagramAt(pcb, pcb.RECEIVE_START) : undefined;
}

/** Copies of the oldest as many bytes from `from` as there are and `target` holds. @returns how many */
export function copyFirst(
  pcb: UdpPcb,
  { length }: Datagram,
  from: number,
  target: Uint8Array,
): number {
  const count = Math.min(length - from, target.length);
  if (count <= 0) return 0;
  pcb.receiveStream.copy(pcb.RECEIVE_START + HEAD_LENGTH + from, count, target);
  return count;
}

/** The oldest has been read. */
export function discardFirst(pcb: UdpPcb, { length }: Datagram): void {
  const next = pcb.RECEIVE_START + HEAD_LENGTH + length;
  pcb.receiveStream.discard(next);
  pcb.RECEIVE_START = next;
}

/** How many wait. */
export function countDatagrams(pcb: UdpPcb): number {
  let count = 0;
  for (let at = pcb.RECEIVE_START; at < pcb.RECEIVE_END; count++) {
    at += HEAD_LENGTH + datagramAt(pcb, at).length;
  }
  return count;
}

/**
 * After a restore, when the stream holds what the record says.
 * @throws RecordError when that is not one whole datagram behind the other
 */
export function checkDatagrams(pcb: UdpPcb): void {
  const { RECEIVE_END } = pcb;
  let at = pcb.RECEIVE_START;
  while (at + HEAD_LENGTH <= RECEIVE_END) at += HEAD_LENGTH + datagramAt(pcb, at).length;
  if (at !== RECEIVE_END)
    throw new RecordError(`socket ${pcb.ID} has a datagram that is cut short`);
}

function datagramAt(pcb: UdpPcb, at: number): Datagram {
  pcb.receiveStream.copy(at, HEAD_LENGTH, head);
  return {
    source: addressAt(0),
    sourcePort: view.getUint16(SOURCE_PORT),
    destination: addressAt(DESTINATION),
    length: view.getUint16(LENGTH),
  };
}

function putAddress(at: number, { word0, word1, word2, word3 }: IpAddress): void {
  view.setUint32(at, word0);
  view.setUint32(at + 4, word1);
  view.setUint32(at + 8, word2);
  view.setUint32(at + 12, word3);
}

function addressAt(at: number): IpAddress {
  return new IpAddress(
    view.getUint32(at),
    view.getUint32(at + 4),
    view.getUint32(at + 8),
    view.getUint32(at + 12),
  );
}
