/** Link type of bare IP packets (https://www.tcpdump.org/linktypes.html). */
const LINKTYPE_RAW = 101;
const MAGIC = 0xa1b2c3d4;
const HEADER_LENGTH = 24;
const RECORD_HEADER_LENGTH = 16;
const SNAPLEN = 65535;

export interface CapturedPacket {
  /** Milliseconds. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A capture file (draft-ietf-opsawg-pcap), times in microseconds. */
export function pcapOf(packets: readonly CapturedPacket[]): Uint8Array {
  const lengths = packets.map(({ bytes }) => RECORD_HEADER_LENGTH + bytes.length);
  const file = new Uint8Array(lengths.reduce((sum, length) => sum + length, HEADER_LENGTH));
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, SNAPLEN);
  view.setUint32(20, LINKTYPE_RAW);
  let offset = HEADER_LENGTH;
  for (const { at, bytes } of packets) {
    const microseconds = Math.round(at * 1000);
    view.setUint32(offset, Math.floor(microseconds / 1e6));
    view.setUint32(offset + 4, microseconds % 1e6);
    view.setUint32(offset + 8, bytes.length);
    view.setUint32(offset + 12, bytes.length);
    file.set(bytes, offset + RECORD_HEADER_LENGTH);
    offset += RECORD_HEADER_LENGTH + bytes.length;
  }
  return file;
}
