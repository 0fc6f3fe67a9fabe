import { execFileSync } from 'node:child_process';
import { TCP } from '../fs/node-id.ts';
import { NO_SOURCES } from '../fs/sources.ts';
import { Tree } from '../fs/tree.ts';
import { stageConnection } from '../persist/connections.ts';
import { Journal } from '../persist/journal.ts';
import { Table } from '../persist/table.ts';
import type { Egress } from '../tcp/egress.ts';
import { Stack } from '../tcp/stack.ts';

/** What the connections of such a store may count for, bytes: enough for 100,000, of which the first offer large windows. */
export const MEMORY_OF_IDLE = 2 ** 33;
/** The peer's ports begin here. */
const FIRST_PORT = 1000;
/** Connections to one port of the peer: fewer than there are ephemeral ports. */
const CONNECTIONS_OF_A_PORT = 16_000;
/** As many at a time as a listener lets wait. */
const BATCH = 4000;

/** Packets on their way, in memory. */
class Wire implements Egress {
  readonly bytes = new Uint8Array(65536);
  readonly view = new DataView(this.bytes.buffer);
  #packets: Uint8Array[] = [];

  reserve(): number {
    return 0;
  }

  commit(length: number): void {
    this.#packets.push(this.bytes.slice(0, length));
  }

  take(): Uint8Array[] {
    const packets = this.#packets;
    this.#packets = [];
    return packets;
  }
}

/** Who such connections are between. */
export interface IdleEnds {
  /** Addresses: of the store's stack, and of the peer. */
  readonly here: string;
  readonly there: string;
}

/** Makes a store with `count` named connections, established with another stack that nobody will hear of again. */
export async function makeIdleStore(
  directory: string,
  count: number,
  now: number,
  ends: IdleEnds = { here: '10.7.0.2', there: '10.7.0.1' },
): Promise<void> {
  const [here, there] = [stackAt(ends.here, now), stackAt(ends.there, now)];
  const [outgoing, incoming] = [new Wire(), new Wire()];
  const settle = () => {
    for (;;) {
      here.transmit(now, outgoing);
      there.transmit(now, incoming);
      const [out, back] = [outgoing.take(), incoming.take()];
      if (out.length + back.length === 0) return;
      for (const packet of out) there.arrive(packet, 0, packet.length, now);
      for (const packet of back) here.arrive(packet, 0, packet.length, now);
    }
  };
  const journal = Journal.open(directory);
  const tree = new Tree(
    here,
    {
      put: (kind, id, value) => journal.put(Table[kind], id, 0, value),
      delete: (kind, id) => journal.delete(Table[kind], id, 0),
    },
    NO_SOURCES,
  );
  const call = { uid: 0, gid: 0, pid: 1, nonblocking: false, note: 0, returnable: 0, now };
  for (let made = 0; made < count; ) {
    const port = FIRST_PORT + Math.floor(made / CONNECTIONS_OF_A_PORT);
    const listener = there.create();
    there.bind(listener, { address: ends.there, port });
    there.listen(listener, BATCH);
    const end = Math.min(count, made + CONNECTIONS_OF_A_PORT);
    while (made < end) {
      for (let i = 0; i < BATCH && made < end; i++, made++) {
        tree.mkdir(TCP, `c${made}`, 0o700, call);
        here.connect(here.pcbs.get(here.nextId - 1)!, { address: ends.there, port }, now);
      }
      settle();
      while (there.acceptable(listener)) there.accept(listener);
      for (const pcb of here.takeDirty()) stageConnection(journal, pcb);
      here.takeChanged();
      journal.facts.nextId = here.nextId;
      journal.commit();
    }
  }
  await journal.close();
}

function stackAt(address: string, now: number): Stack {
  let entropy = 1;
  return new Stack({
    address,
    prefix: 24,
    mtu: 1500,
    secret: new Uint8Array(32),
    entropy: () => entropy++,
    now,
    memory: MEMORY_OF_IDLE,
  });
}

/** Has the host drop what it would say of such connections, of which it knows nothing, until the returned function is called. */
export function silenceIdlePeers(count: number): () => void {
  const last = FIRST_PORT + Math.floor(count / CONNECTIONS_OF_A_PORT);
  const nft = (input: string) => execFileSync('nft', ['-f', '-'], { input });
  nft(
    `table ip idle { chain output { type filter hook output priority 0; tcp sport ${FIRST_PORT}-${last} drop; }; }`,
  );
  return () => nft('delete table ip idle');
}
