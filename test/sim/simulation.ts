import { Application } from './application.ts';
import { Auditor } from './auditor.ts';
import { EventQueue } from './event-queue.ts';
import { Flow, type Role } from './flow.ts';
import type { NetworkHost, World } from './network-host.ts';
import type { Packet } from './packet.ts';
import { type Fate, Path } from './path.ts';
import { PlainPeer } from './plain-peer.ts';
import { Random } from './random.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { StackHost } from './stack-host.ts';
import { nameOf, type Trace } from './trace.ts';
import { must } from './violation.ts';

/** How long after the network has healed everything must have come to its end, milliseconds. */
const GRACE = 3600_000;
/** No seed needs nearly as many; a loop without progress would not end by itself. */
const MOST_EVENTS = 3_000_000;

export interface Result {
  readonly seed: bigint;
  /** Bytes that programs were to hear. */
  readonly bytes: number;
  readonly packets: number;
  /** What went wrong, in one line and in full; undefined: nothing did. */
  readonly failure: string | undefined;
  readonly stack: string | undefined;
}

/** Whole hosts and the network between them, on virtual time: everything follows from the seed. */
class Simulation implements World {
  readonly events = new EventQueue();
  readonly scenario: Scenario;
  readonly flows: readonly Flow[];
  packets = 0;
  readonly #hosts: readonly NetworkHost[];
  readonly #paths: readonly (readonly Path[])[];
  readonly #auditor: Auditor;
  readonly #trace: Trace | undefined;

  constructor(scenario: Scenario, trace: Trace | undefined) {
    this.scenario = scenario;
    this.#trace = trace;
    const random = new Random(scenario.seed);
    this.flows = scenario.flows.map((plan, i) => new Flow(plan, random.fork(`text ${i}`)));
    this.#auditor = new Auditor(this.flows, (host) => {
      const plan = scenario.hosts[host]!;
      return plan.kind === 'plain' && plan.shrinks;
    });
    this.#paths = scenario.paths.map((row, from) =>
      row.map((plan, to) => {
        const { healsAt } = scenario;
        const fork = random.fork(`network ${from} ${to}`);
        return new Path(plan, healsAt, this.events, fork, (packet, isWhole) =>
          this.#deliver(packet, isWhole),
        );
      }),
    );
    this.#hosts = scenario.hosts.map((plan, i) => {
      const fork = random.fork(`life ${i}`);
      if (plan.kind === 'plain') return new PlainPeer(i, plan, this, fork, this.flows[0]!);
      return new StackHost(i, plan, this, fork, this.#applicationsOf(i));
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
      this.#auditor.sent(packet);
      fate = this.#paths[packet.from]![packet.to]!.carry(packet);
    } finally {
      const numbers = this.#auditor.numbersOf(packet);
      this.#trace?.sent(this.events.now, packet, numbers, fate);
    }
  }

  note(host: number, what: string): void {
    this.#trace?.note(this.events.now, host, what);
  }

  #deliver(packet: Packet, isWhole: boolean): void {
    if (isWhole) this.#auditor.delivered(packet);
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
  const scenario = scenarioOf(seed);
  const bytes = scenario.flows.reduce(
    (sum, { client, server }) => sum + client.length + server.length,
    0,
  );
  const simulation = new Simulation(scenario, trace);
  let failure: string | undefined;
  let stack: string | undefined;
  try {
    simulation.run();
  } catch (error) {
    const { name, message } = error as Error;
    failure = `at ${simulation.events.now.toFixed(3)} ms, ${name}: ${message}`;
    stack = (error as Error).stack;
  }
  return { seed, bytes, packets: simulation.packets, failure, stack };
}
