import type { IpAddress } from './address.ts';
import { seqAdd } from './sequence.ts';
import { tupleHash } from './tuple-hash.ts';

/** The clock of initial sequence numbers ticks every 4 microseconds (RFC 9293 section 3.4.1). */
const TICKS_PER_MILLISECOND = 250;

/**
 * ISN = M + F(localip, localport, remoteip, remoteport, secretkey) (RFC 6528 section 3): unpredictable
 * without the secret, and rising with time between two incarnations of one connection.
 * @param secret at least 128 random bits, the same for as long as connections are to be told apart
 * @param now milliseconds, also with a fraction, of a clock that does not go back while the secret is in use
 */
export function initialSequenceNumber(
  secret: Uint8Array,
  local: IpAddress,
  localPort: number,
  remote: IpAddress,
  remotePort: number,
  now: number,
): number {
  const M = Math.floor(now * TICKS_PER_MILLISECOND);
  return seqAdd(tupleHash(secret, 'ISN', local, localPort, remote, remotePort), M);
}
