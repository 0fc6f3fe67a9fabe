import { createHmac } from 'node:crypto';
import type { IpAddress } from './address.ts';
import { isEcnSetup } from './ecn.ts';
import type { Host } from './host.ts';
import { defaultMss, mssToOffer } from './largest-segment.ts';
import { GUARANTEED } from './memory.ts';
import type { Pcb } from './pcb.ts';
import { windowScaleFor } from './receive-window.ts';
import { packetOf } from './segment-writer.ts';
import { seqAdd, seqSub } from './sequence.ts';
import { tupleHash } from './tuple-hash.ts';
import { ACK, CWR, ECE, SYN, TcpHeader } from './wire/tcp.ts';

/**
 * SYN cookies (RFC 4987 section 3.6; D. Bernstein, 1996): when the queue of a listener is full of
 * callers that do not answer, a SYN is answered without
 * remembering it. What must be known when its ACK comes is in the initial sequence number, and the options are in the
 * timestamp, which the peer echoes. So a flood of SYNs keeps nobody out and costs no memory; and as all of it follows
 * from the secret, an engine that was restarted in between takes the ACK too.
 *
 * The number, less the peer's own: 5 bits of time, 3 of segment size, 24 of a keyed hash over all that and both sockets.
 */

/** Milliseconds; the time in a cookie counts these. */
const PERIOD = 64_000;
/** How many periods before the current one are still good. The peer's ACK takes a round trip, and perhaps a retransmission. */
const PERIODS_GOOD = 1;

/** Each stands for itself and all up to the next. MSSs that are common on the internet, as in Linux's msstab. */
const SEGMENT_SIZES = [88, 536, 1200, 1300, 1360, 1440, 1460, 8960];

/** The last bits of TSval: ECN, SACK-permitted, and the window scale; 15 is none (RFC 7323 section 2.3 ends at 14). */
const OPTION_BITS = 6;
const SACK_BIT = 1 << 4;
const ECN_BIT = 1 << 5;
const SCALE_MASK = 15;
const NO_SCALE = 15;

/** Kept to be used again for each. */
const reply = new TcpHeader();
const syn = new TcpHeader();

/** Answers a SYN for `listener` with a cookie. */
export function sendCookie(
  host: Host,
  listener: Pcb,
  source: IpAddress,
  segment: TcpHeader,
  now: number,
): void {
  const { options, sourcePort, destinationPort } = segment;
  host.cookieSentAt = now;
  reply.sourcePort = destinationPort;
  reply.destinationPort = sourcePort;
  const size = options.hasMss ? options.mss : defaultMss(source);
  reply.SEG_SEQ = cookieFor(host, source, segment, segment.SEG_SEQ, periodAt(now), sizeIndex(size));
  reply.SEG_ACK = seqAdd(segment.SEG_SEQ, 1);
  // It is not remembered, so it can be no more than every connection gets.
  reply.SEG_WND = Math.min(listener.receiveBuffer, GUARANTEED);
  reply.flags = SYN | ACK;
  reply.options.clear();
  reply.options.hasMss = true;
  reply.options.mss = mssToOffer(host.mtu, listener, source);
  if (options.hasTimestamps) {
    if (isEcnSetup(segment)) reply.flags |= ECE;
    reply.options.hasTimestamps = true;
    reply.options.timestampValue = withOptions(clockOf(host, source, segment, now), segment);
    reply.options.timestampEcho = options.timestampValue;
    reply.options.sackPermitted = options.sackPermitted;
    reply.options.hasWindowScale = options.hasWindowScale;
    reply.options.windowScale = windowScaleFor(host.receiveBufferMax);
  }
  host.counters.TcpOutSegs++;
  host.counters.TcpExtSyncookiesSent++;
  host.replies.push(packetOf(host.addressTowards(source), source, reply), source);
}

/**
 * The SYN that `segment`, an ACK without a connection, is the answer to our cookie for; undefined when it is none. It is
 * believed only when cookies have been sent lately, so that nobody may try them at leisure.
 * Valid until the next call.
 */
export function synOfCookie(
  host: Host,
  source: IpAddress,
  segment: TcpHeader,
  now: number,
): TcpHeader | undefined {
  if (now - host.cookieSentAt > (PERIODS_GOOD + 1) * PERIOD) return undefined;
  const found = readCookie(host, source, segment, now);
  if (found === undefined) host.counters.TcpExtSyncookiesFailed++;
  else host.counters.TcpExtSyncookiesRecv++;
  return found;
}

function readCookie(
  host: Host,
  source: IpAddress,
  segment: TcpHeader,
  now: number,
): TcpHeader | undefined {
  const { options } = segment;
  const IRS = seqAdd(segment.SEG_SEQ, -1);
  const ISS = seqAdd(segment.SEG_ACK, -1);
  const bits = seqSub(ISS, IRS) >>> 0;
  const age = (periodAt(now) - (bits >>> 27)) & 31;
  if (age > PERIODS_GOOD) return undefined;
  const index = (bits >>> 24) & 7;
  if (cookieFor(host, source, segment, IRS, periodAt(now) - age, index) !== ISS) return undefined;
  syn.sourcePort = segment.sourcePort;
  syn.destinationPort = segment.destinationPort;
  syn.SEG_SEQ = IRS;
  syn.SEG_ACK = ISS;
  syn.SEG_WND = segment.SEG_WND;
  syn.flags = SYN;
  syn.options.clear();
  syn.options.hasMss = true;
  syn.options.mss = SEGMENT_SIZES[index]!;
  if (options.hasTimestamps) {
    syn.options.hasTimestamps = true;
    syn.options.timestampValue = options.timestampValue;
    const scale = options.timestampEcho & SCALE_MASK;
    syn.options.hasWindowScale = scale !== NO_SCALE;
    syn.options.windowScale = scale === NO_SCALE ? 0 : scale;
    if (options.timestampEcho & ECN_BIT) syn.flags |= ECE | CWR;
    syn.options.sackPermitted = (options.timestampEcho & SACK_BIT) !== 0;
  }
  return syn;
}

/** The SYN,ACK was a cookie: `pcb`, in SYN-RECEIVED, has sent it, and waits for its ACK. */
export function haveSentCookie(pcb: Pcb, ISS: number): void {
  pcb.ISS = ISS;
  pcb.SND_UNA = ISS;
  pcb.SND_NXT = seqAdd(ISS, 1);
  pcb.SYN_NOW = 0;
  pcb.recover = ISS;
}

function periodAt(now: number): number {
  return Math.floor(now / PERIOD);
}

/** The largest size that is not above `mss`. */
function sizeIndex(mss: number): number {
  let index = SEGMENT_SIZES.length - 1;
  while (index > 0 && SEGMENT_SIZES[index]! > mss) index--;
  return index;
}

function cookieFor(
  host: Host,
  source: IpAddress,
  segment: TcpHeader,
  IRS: number,
  period: number,
  index: number,
): number {
  const { word0, word1, word2, word3 } = source;
  const { sourcePort, destinationPort } = segment;
  const ports = sourcePort * 0x10000 + destinationPort;
  // The stack has one address for each version of IP, so the source's says which one it is.
  const words = Uint32Array.of(word0, word1, word2, word3, ports, IRS, period, index);
  const hash = createHmac('sha256', host.secret).update('cookie').update(words).digest();
  const bits = ((period & 31) << 27) | (index << 24) | hash.readUIntBE(0, 3);
  return seqAdd(IRS, bits);
}

/** What the connection's timestamp clock will say, as `beginTimestamps` sets it. */
function clockOf(host: Host, source: IpAddress, segment: TcpHeader, now: number): number {
  const { sourcePort, destinationPort } = segment;
  const { secret } = host;
  const address = host.addressTowards(source);
  const offset = tupleHash(secret, 'TS', address, destinationPort, source, sourcePort);
  return seqAdd(offset, Math.floor(now));
}

/** The latest TSval not after `clock` whose last bits say what `segment` offers. */
function withOptions(clock: number, segment: TcpHeader): number {
  const { hasWindowScale, windowScale, sackPermitted } = segment.options;
  const scale = hasWindowScale ? windowScale : NO_SCALE;
  const bits = scale | (sackPermitted ? SACK_BIT : 0) | (isEcnSetup(segment) ? ECN_BIT : 0);
  const unit = 2 ** OPTION_BITS;
  const stamp = seqAdd(clock - (clock % unit), bits);
  return stamp > clock ? seqAdd(stamp, -unit) : stamp;
}
