import type { Pcb } from '../../tcp/pcb.ts';
import { isSynchronized, State, stateName } from '../../tcp/state.ts';
import { ACK, RST, SYN } from '../../tcp/wire/tcp.ts';
import { distance } from './auditor.ts';
import { hostOf, type SegmentPacket } from './packet.ts';
import { must } from './violation.ts';

/** What the journal holds for the peer to rely on, of one connection. */
interface Promise {
  readonly state: number;
  readonly ISS: number;
  readonly RCV_NXT: number;
  readonly RCV_ADV: number;
  readonly RCV_WSCALE: number;
  readonly sendEnd: number;
}

/** What the peers of a host may rely on, by connection; each segment is judged by it before it leaves. */
export class Promises {
  readonly #promises = new Map<string, Promise>();
  /** Right edges that are not to move, by connection. */
  readonly #edges = new Map<string, number>();

  clear(): void {
    this.#promises.clear();
    this.#edges.clear();
  }

  /** From the next commit on the peer may rely on what `pcb` says. */
  note(pcb: Pcb): void {
    const key = connectionOf(pcb);
    if (pcb.STATE === State.MOVED) {
      this.#promises.delete(key);
      return;
    }
    this.#promises.set(key, {
      state: pcb.STATE,
      ISS: pcb.ISS,
      RCV_NXT: pcb.RCV_NXT,
      RCV_ADV: pcb.RCV_ADV,
      RCV_WSCALE: pcb.RCV_WSCALE,
      sendEnd: (pcb.ISS + 1 + pcb.SEND_END + pcb.FIN_QUEUED) >>> 0,
    });
  }

  /** From now on nothing is offered that has not been. */
  holdEdges(): void {
    for (const [key, { state, RCV_ADV }] of this.#promises)
      if (isSynchronized(state)) this.#edges.set(key, RCV_ADV);
  }

  /**
   * No packet says what is not in the journal by now: an acknowledgment, an offered window, text, a SYN. And nobody resets a
   * connection that lives.
   * @param pcbs those of the host
   */
  check(packet: SegmentPacket, pcbs: Iterable<Pcb>): void {
    const { flags, SEG_SEQ, SEG_LEN, SEG_ACK, SEG_WND } = packet.segment;
    const key = connectionIn(packet);
    if (flags & RST) {
      const live = [...pcbs].find((pcb) => connectionOf(pcb) === key);
      must(
        live === undefined || live.STATE < State.ESTABLISHED || live.STATE === State.TIME_WAIT,
        () => `a reset in ${stateName(live!.STATE)}`,
      );
      return;
    }
    const promise = this.#promises.get(key);
    must(promise !== undefined, 'a segment of a connection that is not in the journal');
    if (flags & SYN) must(promise.ISS === SEG_SEQ, 'the ISS is not in the journal');
    must(distance(SEG_SEQ + SEG_LEN, promise.sendEnd) <= 0, 'what is sent is not in the journal');
    if ((flags & ACK) === 0) return;
    must(distance(SEG_ACK, promise.RCV_NXT) <= 0, 'what is acknowledged is not in the journal');
    const scale = flags & SYN ? 0 : promise.RCV_WSCALE;
    const edge = SEG_ACK + SEG_WND * 2 ** scale;
    must(distance(edge, promise.RCV_ADV) <= 0, 'what is offered is not in the journal');
    const held = this.#edges.get(key);
    must(
      held === undefined || SEG_WND === 0 || distance(edge, held) <= 0,
      'a window opens in a freeze',
    );
  }
}

/** What tells a host's connections apart. */
export function connectionOf({ LOCAL_PORT, remoteAddress, REMOTE_PORT }: Pcb): string {
  return `${LOCAL_PORT} ${hostOf(remoteAddress)} ${REMOTE_PORT}`;
}

/** The same of its sender, in a packet. */
export function connectionIn({ segment, to }: SegmentPacket): string {
  return `${segment.sourcePort} ${to} ${segment.destinationPort}`;
}
