import { Application } from './application.ts';
import { Auditor } from './auditor.ts';
import { DatagramFlow, DatagramReceiver, DatagramSender } from './datagrams.ts';
import { EventQueue } from './event-queue.ts';
import { Flow, type Role } from './flow.ts';
import { MemoryStore } from './memory-store.ts';
import { MovingHost } from './moving-host.ts';
import type { Happening, NetworkHost, Witness, World } from './network-host.ts';
import { isSegment, type Packet } from './packet.ts';
import { type Fate, Path } from './path.ts';
import { PlainPeer } from './plain-peer.ts';
import type { Program } from './program.ts';
import { Random } from './random.ts';
import { Router } from './router.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { StackHost } from './stack-host.ts';
import type { Store } from './store.ts';
import { nameOf, type Trace } from './trace.ts';
import { must } from './violation.ts';

/** How long after the network has healed everything must have come to its end, milliseconds. */
const GRACE = 3600_000;
/** No seed needs nearly as many; a loop without progress would not end by itself. */
const MOST_EVENTS = 3_000_000;

/** What a run is given beside its scenario; nothing of it changes what happens. */
export interface Surroundings {
  readonly trace?: Trace | undefined;
  readonly witness?: Witness;
  /** Memory if nobody says otherwise. */
  newStore?(): Store;
}

export interface Result {
  readonly seed: bigint;
  /** Bytes that programs were to hear. */
  readonly bytes: number;
  readonly packets: number;
  /** How many programs have read. */
  readonly datagrams: number;
  readonly happenings: Readonly<Record<Happening, number>>;
  /** What went wrong, in one line and in full; undefined: nothing did. */
  readonly failure: string | undefined;
  readonly stack: string | undefined;
}

/** Whole hosts and the network between them, on virtual time: everything follows from the seed. */
class Simulation implements World {
  readonly events = new EventQueue();
  readonly scenario: Scenario;
  readonly flows: readonly Flow[];
  readonly datagrams: readonly DatagramFlow[];
  readonly happenings: Record<Happening, number> = { freezes: 0, moves: 0 };
  packets = 0;
  readonly #hosts: readonly NetworkHost[];
  readonly #paths: readonly (readonly Path<Packet>[])[];
  readonly #routers: readonly (readonly Router[])[];
  readonly #auditor: Auditor;
  readonly #trace: Trace | undefined;
  readonly witness: Witness | undefined;
  readonly newStore: () => Store;

  constructor(scenario: Scenario, { trace, witness, newStore }: Surroundings) {
    this.scenario = scenario;
    this.#trace = trace;
    this.witness = witness;
    this.newStore = newStore ?? (() => new MemoryStore());
    const random = new Random(scenario.seed);
    this.flows = scenario.flows.map((plan, i) => new Flow(plan, random.fork(`text ${i}`)));
    this.datagrams = scenario.datagrams.map(
      (plan, i) => new DatagramFlow(plan, random.fork(`datagrams ${i}`)),
    );
    this.#auditor = new Auditor(this.flows, scenario);
    this.#paths = scenario.paths.map((row, from) =>
      row.map((plan, to) => {
        const { healsAt } = scenario;
        const fork = random.fork(`network ${from} ${to}`);
        return new Path(plan, healsAt, this.events, fork, (packet, isWhole) =>
          this.#deliver(packet, isWhole),
        );
      }),
    );
    this.#routers = scenario.routers.map((row, from) =>
      row.map((plan, to) => {
        const path = scenario.paths[from]![to]!;
        const fork = random.fork(`routers ${from} ${to}`);
        return new Router(plan, path, scenario.healsAt, fork, (packet, error) => {
          this.events.at(this.events.now + path.delay, () => this.#hosts[from]!.receive(error));
          this.note(packet.from, 'is to hear an ICMP error');
        });
      }),
    );
    this.#hosts = scenario.hosts.map((plan, i) => {
      const fork = random.fork(`life ${i}`);
      if (plan.kind === 'plain') return new PlainPeer(i, plan, this, fork, this.flows[0]!);
      const Host = plan.moves.length > 0 ? MovingHost : StackHost;
      return new Host(i, plan, this, fork, [...this.#applicationsOf(i), ...this.#datagramsOf(i)]);
    });
  }

  #applicationsOf(host: number): Application[] {
    const roles: Role[] = ['client', 'server'];
    return this.flows.flatMap((flow) =>
      roles
        .filter((role) => flow.end(role).host === host)
        .map((role) => new Application(flow, role)),
    );
  }

  #datagramsOf(host: number): Program[] {
    return this.datagrams.flatMap((flow) => [
      ...(flow.plan.sender === host ? [new DatagramSender(flow)] : []),
      ...(flow.plan.receiver === host ? [new DatagramReceiver(flow)] : []),
    ]);
  }

  run(): void {
    const { events } = this;
    const end = this.scenario.healsAt + GRACE;
    let count = 0;
    while (!this.#isDone) {
      must(count++ < MOST_EVENTS, () => `no end after ${count} events: ${this.#situation}`);
      must(events.now < end, () => `no end in sight: ${this.#situation}`);
      must(events.step(), () => `nothing will ever happen again: ${this.#situation}`);
    }
  }

  send(packet: Packet): void {
    this.packets++;
    let fate: Fate = 'never sent';
    try {
      if (isSegment(packet)) this.#auditor.sent(packet);
      else for (const flow of this.datagrams) flow.sent(packet);
      this.#routers[packet.from]![packet.to]!.sees(packet, this.events.now);
      fate = this.#paths[packet.from]![packet.to]!.carry(packet);
    } finally {
      this.#note(packet, fate);
    }
  }

  #note(packet: Packet, fate: Fate): void {
    const { now } = this.events;
    if (!isSegment(packet)) this.#trace?.sent(now, packet, fate);
    else this.#trace?.segmentSent(now, packet, this.#auditor.numbersOf(packet), fate);
  }

  note(host: number, what: string): void {
    this.#trace?.note(this.events.now, host, what);
  }

  happened(what: Happening): void {
    this.happenings[what]++;
  }

  left(host: number, isAtRest: boolean): void {
    this.#auditor.left(host, isAtRest);
  }

  returned(host: number): void {
    this.#auditor.returned(host);
  }

  #deliver(packet: Packet, isWhole: boolean): void {
    if (isWhole) {
      if (isSegment(packet)) this.#auditor.delivered(packet);
      else for (const flow of this.datagrams) flow.delivered(packet);
    }
    this.#hosts[packet.to]!.receive(packet.bytes);
  }

  get #isDone(): boolean {
    for (const host of this.#hosts) if (!host.isDone) return false;
    return true;
  }

  get #situation(): string {
    return this.#hosts.map((host, i) => `${nameOf(i)}: ${host}`).join(' | ');
  }
}

/** Runs one seed to its end. */
export function simulate(seed: bigint, trace?: Trace): Result {
  return run(scenarioOf(seed), { trace });
}

/** Runs one scenario to its end. */
export function run(scenario: Scenario, surroundings: Surroundings): Result {
  const { seed } = scenario;
  const bytes = scenario.flows.reduce(
    (sum, { client, server }) => sum + client.length + server.length,
    0,
  );
  const simulation = new Simulation(scenario, surroundings);
  let failure: string | undefined;
  let stack: string | undefined;
  try {
    simulation.run();
  } catch (error) {
    const { name, message } = error as Error;
    failure = `at ${simulation.events.now.toFixed(3)} ms, ${name}: ${message}`;
    stack = (error as Error).stack;
  }
  const datagrams = simulation.datagrams.reduce((sum, { heard }) => sum + heard, 0);
  const { packets, happenings } = simulation;
  return { seed, bytes, packets, datagrams, happenings, failure, stack };
}
