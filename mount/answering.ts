import { randomBytes } from 'node:crypto';
import { monotonicNow } from '../persist/clock.ts';
import { readPeerRecords, storedTurn } from '../persist/peer-records.ts';
import { StandIn } from '../tcp/stand-in/stand-in.ts';
import { Station } from '../tcp/stand-in/station.ts';
import { randomLinkAddress } from '../tcp/wire/ethernet.ts';
import { Outbox } from './outbox.ts';
import { type Arrivals, PacketInput } from './packet-input.ts';
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
  /** Where packets come from and go to: a TUN or a TAP. */
  readonly descriptor: number;
  /** Whether it is a TAP, and packets are in Ethernet frames. */
  readonly isTap?: boolean;
  /** Whether a `VirtioHeader` stands before each packet. */
  readonly offload: boolean;
  /** As those of a mount. */
  readonly address: string;
  readonly prefix: number;
  readonly address6?: string | undefined;
  readonly mtu: number;
  /** Ids of connections whose peers have been told by a process before this one that their windows are closed. */
  readonly shut?: readonly number[];
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
  const { store, descriptor, offload, address, prefix, address6, mtu, onRevoked } = options;
  const { turn, records } = readPeerRecords(store);
  const now = monotonicNow();
  const standIn = new StandIn({
    ...{ address, prefix, mtu, now, entropy },
    shut: options.shut ?? [],
    onShut: options.onShut,
    ...(address6 !== undefined && { address6 }),
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
  const station = options.isTap
    ? new Station({ linkAddress: randomLinkAddress(entropy), address, address6, now }, standIn)
    : undefined;
  const arrivals: Arrivals = {
    arrive: (bytes, offset, length, now, ingress) =>
      station === undefined
        ? standIn.arrive(bytes, offset, length, now, packets, ingress)
        : station.arrive(bytes, offset, length, now, packets),
  };
  const input = new PacketInput(descriptor, arrivals, offload);
  const readiness = new Readiness(() => {
    if (storedTurn(store) !== turn) {
      readiness.stop();
      onRevoked();
      return;
    }
    const now = monotonicNow();
    station?.tick(now, packets);
    input.drain(now);
    outbox.seal(NOW);
    outbox.release(NOW);
    readiness.arm(station?.deadline);
  });
  readiness.watch(descriptor);
  return standIn.size;
}

function entropy(): number {
  return randomBytes(4).readUInt32LE();
}
