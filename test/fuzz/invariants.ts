import type { Pcb } from '../../tcp/pcb.ts';
import { Reassembly } from '../../tcp/reassembly.ts';
import { seqSub } from '../../tcp/sequence.ts';
import type { Stack } from '../../tcp/stack.ts';
import { isSynchronized, State } from '../../tcp/state.ts';

/** What must hold of a stack after every input, whatever the input was. */
export class Finding extends Error {
  override name = 'Finding';
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Finding(what);
}

/** What was true of a connection at the last look. */
interface Seen {
  RCV_ADV: number;
  RCV_NXT: number;
  SND_UNA: number;
  RECEIVE_START: number;
  ISS: number;
  IRS: number;
  STATE: number;
}

/** Looks at a stack again and again. */
export class Invariants {
  readonly #stack: Stack;
  readonly #buffer: number;
  readonly #seen = new Map<number, Seen>();

  /** @param buffer bytes of the send buffer and of the receive buffer of each connection */
  constructor(stack: Stack, buffer: number) {
    this.#stack = stack;
    this.#buffer = buffer;
  }

  /** @throws Finding what does not hold */
  look(): void {
    for (const pcb of this.#stack.pcbs.values()) this.#lookAt(pcb);
    for (const id of this.#seen.keys()) if (!this.#stack.pcbs.has(id)) this.#seen.delete(id);
  }

  #lookAt(pcb: Pcb): void {
    const { ID, STATE } = pcb;
    if (STATE === State.CLOSED || STATE === State.LISTEN) return;
    this.#lookAtNumbers(pcb);
    if (!isSynchronized(STATE)) return;
    const seen = this.#seen.get(ID);
    if (seen !== undefined && seen.ISS === pcb.ISS && seen.IRS === pcb.IRS) {
      check(seqSub(pcb.RCV_ADV, seen.RCV_ADV) >= 0, 'the advertised edge never retracts');
      check(seqSub(pcb.RCV_NXT, seen.RCV_NXT) >= 0, 'RCV.NXT never goes back');
      check(seqSub(pcb.SND_UNA, seen.SND_UNA) >= 0, 'SND.UNA never goes back');
      check(pcb.RECEIVE_START >= seen.RECEIVE_START, 'what was read stays read');
    }
    const { RCV_ADV, RCV_NXT, SND_UNA, RECEIVE_START, ISS, IRS } = pcb;
    this.#seen.set(ID, { RCV_ADV, RCV_NXT, SND_UNA, RECEIVE_START, ISS, IRS, STATE });
  }

  #lookAtNumbers(pcb: Pcb): void {
    check(seqSub(pcb.SND_NXT, pcb.SND_UNA) >= 0, 'SND.UNA =< SND.NXT');
    const queued = pcb.SEND_END - pcb.SEND_START;
    check(queued >= 0 && queued <= this.#buffer, 'the send buffer is bounded');
    check(pcb.readable >= 0 && pcb.readable <= this.#buffer, 'the receive buffer is bounded');
    check(pcb.areStreamsComplete, 'the streams hold what the record says');
    check(
      pcb.readable + pcb.RCV_WND <= this.#buffer || pcb.STATE === State.SYN_SENT,
      'no more is offered than there is room for',
    );
    const ranges = pcb.reassembly?.mostRecentFirst ?? [];
    check(ranges.length <= Reassembly.MAX_RANGES, 'reassembly is bounded');
    for (const { from, to } of ranges) {
      check(
        from < to && from > pcb.RECEIVE_END && to <= pcb.RECEIVE_END + this.#buffer,
        'what came early lies within the window',
      );
    }
    check(pcb.cwnd >= 0 && Number.isFinite(pcb.RTO) && pcb.RTO > 0, 'cwnd and RTO are numbers');
    if (isSynchronized(pcb.STATE) && !pcb.isSynOutstanding) {
      check(pcb.cwnd >= pcb.SND_MSS, 'cwnd is one segment at least');
    }
  }
}
