import type { ControlBlock } from '../../tcp/control-block.ts';
import { ErrnoError } from '../../tcp/errno.ts';
import { type AddressType, NXDOMAIN } from './dns-message.ts';
import type { DnsQuery, Outcome } from './dns-query.ts';

/** What a name stands for, and for how many seconds that holds. */
export type Finding = { readonly ttl: number } & (
  | { readonly addresses: readonly string[] }
  | { readonly error: ErrnoError }
);

/** Makes a question that nobody has been asked yet. */
export type AskAbout = (name: string, type: AddressType) => DnsQuery;

/** The search for the addresses of a name, by all names that it may be short for, one after the other. */
export class NameLookup {
  readonly #name: string;
  readonly #candidates: Iterator<string>;
  readonly #types: readonly AddressType[];
  readonly #askAbout: AskAbout;
  #queries: readonly DnsQuery[] = [];
  finding: Finding | undefined;

  /**
   * @param name as somebody has called it
   * @param candidates at least one
   */
  constructor(
    name: string,
    candidates: readonly string[],
    types: readonly AddressType[],
    askAbout: AskAbout,
  ) {
    this.#name = name;
    this.#candidates = candidates.values();
    this.#types = types;
    this.#askAbout = askAbout;
  }

  /** Asks about the next candidate. */
  ask(now: number): void {
    const { value, done } = this.#candidates.next();
    if (done) {
      this.finding ??= this.#nothing();
      return;
    }
    this.#queries = this.#types.map((type) => this.#askAbout(value, type));
    for (const query of this.#queries) query.ask(now);
    this.#conclude(now);
  }

  /** When `tick` is next wanted. */
  get deadline(): number {
    return Math.min(...this.#queries.map(({ deadline }) => deadline));
  }

  /** Asks others where nobody has answered in time. */
  tick(now: number): void {
    for (const query of this.#queries) if (query.deadline <= now) query.ask(now);
    this.#conclude(now);
  }

  /** Takes note of a socket that something has happened to. */
  note(pcb: ControlBlock, now: number): void {
    for (const query of this.#queries) if (query.owns(pcb)) query.hear(now);
    this.#conclude(now);
  }

  #conclude(now: number): void {
    if (this.finding !== undefined) return;
    const outcomes = this.#queries.map(({ outcome }) => outcome);
    if (outcomes.includes(undefined)) return;
    this.finding = findingOf(outcomes as Outcome[]);
    if (this.finding === undefined) this.ask(now);
  }

  #nothing(): Finding {
    const replies = this.#queries
      .map(({ outcome }) => outcome!)
      .filter((outcome) => 'reply' in outcome);
    const [first] = replies;
    const why = first?.reply.rcode === NXDOMAIN ? 'no such name' : 'no address';
    const ttl = Math.min(...replies.map(({ reply }) => reply.ttl));
    const error = new ErrnoError('ENOENT', `${this.#name}: ${why}, says ${first?.from}`);
    return { error, ttl };
  }
}

/** What answers about one name come to: addresses, if there are any; else that somebody does not know; undefined: there are none. */
function findingOf(outcomes: readonly Outcome[]): Finding | undefined {
  const replies = outcomes.flatMap((outcome) => ('reply' in outcome ? [outcome.reply] : []));
  const found = replies.filter(({ addresses }) => addresses.length > 0);
  if (found.length > 0) {
    const ttl = Math.min(...found.map((reply) => reply.ttl));
    return { addresses: found.flatMap(({ addresses }) => addresses), ttl };
  }
  const failure = outcomes.find((outcome) => 'error' in outcome);
  return failure && { error: failure.error, ttl: 0 };
}
