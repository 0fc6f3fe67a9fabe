import { randomBytes } from 'node:crypto';
import { monotonicNow } from '../persist/clock.ts';
import { readPeerRecords, storedTurn } from '../persist/peer-records.ts';
import { StandIn } from '../tcp/stand-in/stand-in.ts';
import { Outbox } from './outbox.ts';
import { PacketInput } from './packet-input.ts';
import { Readiness } from './readiness.ts';
import { allocateResidentMemory } from './resident-memory.ts';
import { write } from './system-calls.ts';

/** For the answers to the packets of one turn. What has no room is lost, as packets are. */
const OUTBOX_BYTES = 1024 * 1024;

/** What the answers depend on is durable already: all of them leave. */
const NOW = 1;

export interface AnsweringOptions {
  /** The store's directory. */
  readonly store: string;
  /** Where packets come from and go to: a TUN. */
  readonly descriptor: number;
  /** Whether a `VirtioHeader` stands before each packet. */
  readonly offload: boolean;
  /** As those of a mount. */
  readonly address: string;
  readonly prefix: number;
  readonly address6?: string | undefined;
  readonly mtu: number;
  /** Called with the id of each connection whose peer is about to be told that its window is closed. */
  readonly onShut: (connection: number) => void;
  /** Called when somebody has used the store since it was read: nothing more is said then. */
  readonly onRevoked: () => void;
}

/**
 * Answers the peers of a store's connections from now on, as long as nobody else uses the store.
 * @returns for how many connections
 * @throws StoreError or RecordError when the store will not do
 */
export function answerPeers(options: AnsweringOptions): number {
  const { store, descriptor, offload, address, prefix, address6, mtu, onShut, onRevoked } = options;
  const { turn, records } = readPeerRecords(store);
  const standIn = new StandIn({
    ...{ address, prefix, mtu, onShut, now: monotonicNow() },
    ...(address6 !== undefined && { address6 }),
    entropy: () => randomBytes(4).readUInt32LE(),
  });
  for (const record of records) standIn.restore(record);
  const memory = allocateResidentMemory(OUTBOX_BYTES);
  const outbox = new Outbox(
    memory,
    () => {},
    (offset, length) => write(descriptor, memory.address + offset, length),
    offload,
  );
  const { packets } = outbox;
  const input = new PacketInput(
    descriptor,
    {
      arrive: (bytes, offset, length, now, ingress) =>
        standIn.arrive(bytes, offset, length, now, packets, ingress),
    },
    offload,
  );
  const readiness = new Readiness(() => {
    if (storedTurn(store) !== turn) {
      readiness.stop();
      onRevoked();
      return;
    }
    input.drain(monotonicNow());
    outbox.seal(NOW);
    outbox.release(NOW);
  });
  readiness.watch(descriptor);
  return standIn.size;
}
