import type { EventQueue } from './event-queue.ts';
import type { Packet } from './packet.ts';
import type { Scenario } from './scenario.ts';

/** What a host needs of the world. */
export interface World {
  readonly events: EventQueue;
  readonly scenario: Scenario;
  /** A packet leaves. */
  send(packet: Packet): void;
  /** Something worth a line in the trace. */
  note(host: number, what: string): void;
}

export interface NetworkHost {
  receive(bytes: Uint8Array): void;
  /** Everything it was to do has come to its end. */
  readonly isDone: boolean;
}
