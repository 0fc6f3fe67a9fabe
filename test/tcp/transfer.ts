import type { Pcb } from '../../tcp/pcb.ts';
import type { Side, WirePair } from './wire-pair.ts';

/** Bytes that differ with the seed and hardly ever repeat. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

/** One end of a conversation: what it still has to say and what it has heard. The connection is known by its ID, which is another one when it has moved. */
export class Talker {
  readonly #wire: WirePair;
  readonly side: Side;
  id: number;
  readonly #text: Uint8Array;
  #said = 0;
  readonly #heard: Uint8Array[] = [];
  heard = 0;
  /** Whether it says its last word only after the other. */
  isPolite = false;

  constructor(wire: WirePair, side: Side, pcb: Pcb, text: Uint8Array) {
    this.#wire = wire;
    this.side = side;
    this.id = pcb.ID;
    this.#text = text;
  }

  get pcb(): Pcb {
    return this.#wire[this.side].pcb(this.id);
  }

  /** Whether everything has been said, with a FIN, and everything heard up to the peer's. */
  get isDone(): boolean {
    return this.pcb.FIN_QUEUED === 1 && this.pcb.atEnd;
  }

  /** Sends and receives what can be without waiting. */
  act(): void {
    const station = this.#wire[this.side];
    const { pcb } = this;
    if (this.#said < this.#text.length) {
      this.#said += station.send(pcb, this.#text.subarray(this.#said));
    }
    const mayClose = this.#said === this.#text.length && (!this.isPolite || pcb.FIN_RECEIVED === 1);
    if (mayClose && pcb.FIN_QUEUED === 0) station.shutdown(pcb);
    if (pcb.readable > 0) {
      const bytes = station.receive(pcb);
      this.heard += bytes.length;
      this.#heard.push(bytes.slice());
    }
  }

  get everythingHeard(): Uint8Array {
    return Buffer.concat(this.#heard);
  }
}

/** Lets both talk to the end. `between` is called before each step. */
export function converse(
  wire: WirePair,
  talkers: readonly Talker[],
  between: () => void = () => {},
): void {
  const act = () => {
    for (const talker of talkers) talker.act();
    between();
    return talkers.every((talker) => talker.isDone);
  };
  wire.until(act, 'everything is said and heard');
}
