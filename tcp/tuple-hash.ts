import { createHmac } from 'node:crypto';
import type { IpAddress } from './address.ts';

/**
 * The keyed hash F of RFC 6528 section 3 and RFC 6056 section 3.3.3 over the two ends of a connection: the first
 * 32 bits of HMAC-SHA-256.
 * @param purpose keeps the uses apart, so that one value seen on the wire tells nothing of another
 * @param localPort 0 where the local port is not part of it
 * @returns u32
 */
export function tupleHash(
  secret: Uint8Array,
  purpose: string,
  local: IpAddress,
  localPort: number,
  remote: IpAddress,
  remotePort: number,
): number {
  const words = [local, remote].flatMap(({ word0, word1, word2, word3 }) => [
    word0,
    word1,
    word2,
    word3,
  ]);
  const tuple = Uint32Array.of(...words, localPort, remotePort);
  return createHmac('sha256', secret).update(purpose).update(tuple).digest().readUInt32BE(0);
}
