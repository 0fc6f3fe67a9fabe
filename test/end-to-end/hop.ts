// A hop that is as bad as it is told to be: joins the TUN interfaces NEAR and FAR, each way by one of the simulator's paths.
// Packets are as in the simulator; only time is real.
//
//   hop.ts NEAR FAR SEED PLAN    PLAN: a PathPlan without outages, as JSON
import { Readiness } from '../../mount/readiness.ts';
import { allocateResidentMemory } from '../../mount/resident-memory.ts';
import { read, write } from '../../mount/system-calls.ts';
import { forgetTun, openTun } from '../../mount/tun.ts';
import { monotonicNow } from '../../persist/clock.ts';
import { EventQueue } from '../sim/event-queue.ts';
import { Path, type PathPlan } from '../sim/path.ts';
import { Random } from '../sim/random.ts';

/** One side does not keep the other waiting for longer. */
const PACKETS_PER_TURN = 256;

const [near, far, seed, plan] = process.argv.slice(2) as [string, string, string, string];
const events = new EventQueue();
const random = new Random(BigInt(seed));
const memory = allocateResidentMemory(65536);
const descriptors = [openTun(near), openTun(far)] as const;
const ways = [way(descriptors[0], descriptors[1], near), way(descriptors[1], descriptors[0], far)];
const readiness = new Readiness(turn);
for (const descriptor of descriptors) {
  readiness.watch(descriptor);
  forgetTun(descriptor);
}
process.stdout.write('ready\n');

function turn(): void {
  events.advance(monotonicNow());
  for (const drain of ways) drain();
  readiness.arm(events.next);
}

/** The way of what comes out of `from`. A generator of its own: its n-th packet has one fate, whatever goes the other way. */
function way(from: number, to: number, name: string): () => void {
  const faults = { ...(JSON.parse(plan) as PathPlan), outages: [] };
  const deliver = ({ bytes }: { bytes: Uint8Array }) => {
    memory.bytes.set(bytes);
    // An interface that is down loses the packet.
    write(to, memory.address, bytes.length);
  };
  const path = new Path(faults, Number.POSITIVE_INFINITY, events, random.fork(name), deliver);
  return () => {
    for (let count = 0; count < PACKETS_PER_TURN; count++) {
      const length = read(from, memory.address, memory.bytes.length);
      if (length <= 0) return;
      path.carry({ bytes: memory.bytes.slice(0, length) });
    }
  };
}
