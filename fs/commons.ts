import type { Stack } from '../tcp/stack.ts';
import type { UdpPcb } from '../tcp/udp/udp-pcb.ts';
import type { Connections } from './connections.ts';
import type { Events } from './events.ts';
import type { GrowingText } from './growing-text.ts';
import type { Sources } from './sources.ts';

/** What the files are about that belong to no one connection. */
export interface Commons {
  readonly stack: Stack;
  readonly connections: Connections;
  readonly udpSockets: Connections<UdpPcb>;
  readonly sources: Sources;
  readonly events: Events;
  /** What the engine logs. */
  readonly log: GrowingText;
}
