import type { Host } from './host.ts';
import { textOfMtu } from './largest-segment.ts';
import { isNumberOfProbe, mtuProbeFails } from './mtu-search.ts';
import type { Pcb } from './pcb.ts';
import { isSynchronized } from './state.ts';
import { IPV6_MIN_MTU } from './wire/ipv6.ts';

/** No link of IPv4 has less (RFC 791). */
const IPV4_MIN_MTU = 68;
/**
 * Linux's net.ipv4.route.min_pmtu: an ICMP message alone makes no packet smaller, since anybody who guesses a number in
 * flight can send one.
 */
const LEAST_BELIEVED_IPV4_MTU = 552;

/** MTUs that links have (RFC 1191 section 7), for routers that do not tell theirs. */
const PLATEAUS = [32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, IPV4_MIN_MTU];

/**
 * A segment in flight was longer than some link's MTU (RFC 1191, RFC 8201). From then on they are no longer than that, and
 * what left from that segment on is lost, which tells nothing of congestion (RFC 1191 section 6.5).
 *
 * It is taken at once. RFC 5927 section 7.2 would wait until the segment has to be sent again, so that a forger gains nothing
 * on a connection that makes progress; but he must know a number in flight, gains smaller packets until the next search, and
 * every true change of the path would cost a retransmission timeout.
 * @param SEG_SEQ of the quoted segment, which is in flight
 * @param nextHopMtu 0: the router does not tell
 * @param quotedLength bytes that the quoted packet had, it says
 */
export function packetTooBigArrives(
  host: Host,
  pcb: Pcb,
  SEG_SEQ: number,
  nextHopMtu: number,
  quotedLength: number,
  now: number,
): void {
  const { flight } = pcb;
  if (!isSynchronized(pcb.STATE) || flight === undefined) return;
  const mtu = believedMtu(pcb, nextHopMtu, quotedLength);
  if (mtu === undefined) return;
  const size = textOfMtu(pcb, mtu);
  if (isNumberOfProbe(pcb, SEG_SEQ) && size < pcb.MTU_PROBE_SIZE) {
    mtuProbeFails(pcb, size, now);
    pcb.IS_BISECTING = 0;
    flight.loseBetween(pcb.MTU_PROBE_SEQ, pcb.MTU_PROBE_END);
  }
  // A message about larger segments that have left before, or a forged one: it never raises (RFC 1191 section 3).
  if (size < pcb.SND_MSS) {
    host.pathMtus.learn(pcb.remoteAddress, mtu, now);
    host.counters.TcpExtPathMtuChanges++;
    limitSegments(pcb, size, now);
    pcb.MTU_PROBE_SIZE = 0;
    flight.loseBetween(SEG_SEQ, flight.end);
    // As for a timeout: what is lost until here has been answered.
    pcb.recover = pcb.SND_NXT;
  }
  host.wantOutput(pcb);
}

/** A connection begins: what others to its peer have been told of the path holds for it too (RFC 1191 section 6.2). */
export function beginOnPath(host: Host, pcb: Pcb, now: number): void {
  const path = host.pathMtus.find(pcb.remoteAddress, now);
  if (path === undefined) return;
  const size = textOfMtu(pcb, path.mtu);
  if (size < pcb.SND_MSS) limitSegments(pcb, size, path.toldAt);
}

/** Segments are to have `size` bytes at most; larger ones are tried when what was told at `toldAt` is old. */
function limitSegments(pcb: Pcb, size: number, toldAt: number): void {
  pcb.SND_MSS = size;
  pcb.SEARCH_HIGH = size;
  pcb.SEARCHED_AT = toldAt;
}

/** @returns undefined when no path has the MTU that the message claims (RFC 1191 section 3, RFC 8201 section 4) */
function believedMtu(pcb: Pcb, nextHopMtu: number, quotedLength: number): number | undefined {
  if (!pcb.remoteAddress.isIpv4) return nextHopMtu >= IPV6_MIN_MTU ? nextHopMtu : undefined;
  const mtu = nextHopMtu === 0 ? plateauBelow(quotedLength) : nextHopMtu;
  return mtu >= IPV4_MIN_MTU ? Math.max(mtu, LEAST_BELIEVED_IPV4_MTU) : undefined;
}

/** RFC 1191 section 5: the next MTU that some link has. */
function plateauBelow(length: number): number {
  return PLATEAUS.find((mtu) => mtu < length) ?? IPV4_MIN_MTU;
}
