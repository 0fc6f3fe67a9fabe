import type { Stack } from '../../tcp/stack.ts';
import type { EventQueue } from './event-queue.ts';
import type { Packet } from './packet.ts';
import type { Scenario } from './scenario.ts';
import type { Store } from './store.ts';

/** What a run counts, to show that it was in it. */
export const HAPPENINGS = ['freezes', 'moves'] as const;

export type Happening = (typeof HAPPENINGS)[number];

/** What a host needs of the world. */
export interface World {
  readonly events: EventQueue;
  readonly scenario: Scenario;
  /** A packet leaves. */
  send(packet: Packet): void;
  readonly witness: Witness | undefined;
  /** A new host's disk. */
  newStore(): Store;
  /** Something worth a line in the trace. */
  note(host: number, what: string): void;
  /** Something that is counted. */
  happened(what: Happening): void;
  /**
   * From now on somebody stands in for `host`, up to `returned`.
   * @param isAtRest whether all that has come is acknowledged
   */
  left(host: number, isAtRest: boolean): void;
  returned(host: number): void;
}

/** Sees what engines commit and what they restore. */
export interface Witness {
  /** A turn is committed; `count` packets leave when it is durable. */
  committed(host: number, turn: number, stack: Stack, count: number): void;
  /** The connections of `turn` are there again; nothing has been derived from them yet. */
  restored(host: number, turn: number, stack: Stack): void;
}

export interface NetworkHost {
  receive(bytes: Uint8Array): void;
  /** Everything it was to do has come to its end. */
  readonly isDone: boolean;
}
