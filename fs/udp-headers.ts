import { IpAddress } from '../tcp/address.ts';
import { ErrnoError } from '../tcp/errno.ts';
import type { Datagram } from '../tcp/udp/datagram-queue.ts';
import type { Destination } from '../tcp/udp/send.ts';

/**
 * What Plan 9 puts before each datagram in its mode `headers` (ip(3), struct Udphdr): remote address, local address and the
 * interface's, 16 bytes each, IPv4 as ::ffff:a.b.c.d; remote port and local port, 2 bytes each; all big-endian.
 */
export const UDP_HEADERS_LENGTH = 52;
const LOCAL_ADDRESS = 16;
const INTERFACE_ADDRESS = 32;
const REMOTE_PORT = 48;
const LOCAL_PORT = 50;

/** @param target as many bytes as are to be had of it */
export function putHeaders(target: Uint8Array, datagram: Datagram, localPort: number): void {
  const bytes = new Uint8Array(UDP_HEADERS_LENGTH);
  const view = new DataView(bytes.buffer);
  putAddress(view, 0, datagram.source);
  putAddress(view, LOCAL_ADDRESS, datagram.destination);
  putAddress(view, INTERFACE_ADDRESS, datagram.destination);
  view.setUint16(REMOTE_PORT, datagram.sourcePort);
  view.setUint16(LOCAL_PORT, localPort);
  target.set(bytes.subarray(0, target.length));
}

/**
 * Where the datagram behind them is to go. The local port is the socket's, whatever they say.
 * @throws ErrnoError EINVAL when they are not all there
 */
export function destinationOfHeaders(source: Uint8Array): Destination {
  if (source.length < UDP_HEADERS_LENGTH) throw new ErrnoError('EINVAL');
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  return {
    address: addressAt(view, 0),
    port: view.getUint16(REMOTE_PORT),
    from: addressAt(view, LOCAL_ADDRESS),
  };
}

function putAddress(view: DataView, at: number, { word0, word1, word2, word3 }: IpAddress): void {
  for (const [index, word] of [word0, word1, word2, word3].entries()) {
    view.setUint32(at + 4 * index, word);
  }
}

function addressAt(view: DataView, at: number): IpAddress {
  const [word0, word1, word2, word3] = [0, 4, 8, 12].map((offset) => view.getUint32(at + offset));
  return new IpAddress(word0!, word1!, word2!, word3!);
}
