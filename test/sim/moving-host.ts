import type { EventQueue } from './event-queue.ts';
import type { Luggage } from './luggage.ts';
import type { MovePlan } from './move-plan.ts';
import type { Happening, NetworkHost, Witness, World } from './network-host.ts';
import { isSegment, type Packet } from './packet.ts';
import type { Program } from './program.ts';
import { connectionIn } from './promises.ts';
import type { Random } from './random.ts';
import type { Scenario, StackPlan } from './scenario.ts';
import { StackHost } from './stack-host.ts';
import type { Store } from './store.ts';
import { must } from './violation.ts';

/** How often it is tried to do what cannot be done yet, milliseconds. */
const INTERVAL = 20;

/**
 * One address that two hosts have in turn: connections move from one to the other and back, and their programs with them. Exactly one
 * of the two speaks for them, or none does and there are files.
 */
export class MovingHost implements NetworkHost {
  readonly #number: number;
  readonly #world: World;
  readonly #places: readonly StackHost[];
  /** The connections that have ever moved. */
  readonly #connections = new Set<string>();
  /** Which of the two may speak for them; undefined: neither, for there are files. */
  #owner: number | undefined = 0;
  /** Which of the two packets come to. */
  #address = 0;
  #isUnderWay = false;

  constructor(
    number: number,
    plan: StackPlan,
    world: World,
    random: Random,
    programs: readonly Program[],
  ) {
    this.#number = number;
    this.#world = world;
    const place = (which: number) => new Place(world, this, which);
    this.#places = [
      new StackHost(number, plan, place(0), random, programs),
      new StackHost(number, plan, place(1), random.fork('elsewhere'), []),
    ];
    for (const move of plan.moves) world.events.at(move.at, () => this.#begin(move));
  }

  get isDone(): boolean {
    return !this.#isUnderWay && this.#places.every((place) => place.isDone);
  }

  toString(): string {
    return this.#places.join(' and elsewhere: ');
  }

  receive(bytes: Uint8Array): void {
    this.#places[this.#address]!.receive(bytes);
  }

  /** Whether a host is the one that speaks, or one of those that are silent. */
  isOwner(place: number): boolean {
    return this.#owner === place;
  }

  /** A host is about to send. */
  check(place: number, packet: Packet): void {
    if (!isSegment(packet)) return;
    const connection = connectionIn(packet);
    if (!this.#connections.has(connection)) return;
    must(this.isOwner(place), 'a host speaks for what has moved');
    this.#checkOwners(connection);
  }

  #checkOwners(connection: string): void {
    const owners = this.#places.filter((place) => place.speaksFor(connection));
    must(owners.length < 2, 'a connection has two owners');
  }

  #begin(plan: MovePlan): void {
    const { events, scenario } = this.#world;
    const from = this.#places[this.#address]!;
    const again = () => events.at(events.now + INTERVAL, () => this.#begin(plan));
    if (events.now > scenario.healsAt) return;
    if (this.#isUnderWay || !from.isServing) {
      again();
      return;
    }
    this.#isUnderWay = true;
    if (plan.diesLeaving) from.doom();
    from.moveOut((luggage) => {
      if (luggage !== undefined) {
        this.#hasLeft(plan, luggage);
        return;
      }
      this.#isUnderWay = false;
      again();
    });
  }

  #hasLeft(plan: MovePlan, luggage: Luggage): void {
    const from = this.#places[this.#address]!;
    this.#owner = undefined;
    this.#note(`${luggage.files.size} connections have moved out`);
    for (const connection of luggage.connections) this.#connections.add(connection);
    for (const connection of this.#connections) {
      must(!this.#places.some((place) => place.speaksFor(connection)), 'what has left is there');
    }
    if (plan.asksAgain) {
      from.doom();
      from.moveOut((again) => must(areSame(luggage, again), 'other files than before'));
    }
    this.#after(plan.carrying, () => this.#bringIn(plan, luggage));
  }

  #bringIn(plan: MovePlan, luggage: Luggage): void {
    const target = 1 - this.#address;
    const to = this.#places[target]!;
    this.#whenServing(to, () => {
      if (plan.diesArriving) to.doom();
      to.moveIn(luggage, () => {
        this.#owner = target;
        this.#note('they have moved in');
        this.#world.happened('moves');
        for (const connection of luggage.connections) this.#checkOwners(connection);
        this.#after(plan.routing, () => this.#arrive(plan, luggage, target));
      });
    });
  }

  #arrive(plan: MovePlan, luggage: Luggage, target: number): void {
    const from = this.#places[this.#address]!;
    this.#address = target;
    this.#note('it has the address');
    if (!plan.forgets) {
      this.#isUnderWay = false;
      return;
    }
    this.#whenServing(from, () =>
      from.forget(() => {
        for (const file of luggage.files.values())
          must(from.refusal(file) === 'ESTALE', 'what was given up can be had again');
        this.#isUnderWay = false;
      }),
    );
  }

  #whenServing(place: StackHost, act: () => void): void {
    if (place.isServing) act();
    else this.#after(INTERVAL, () => this.#whenServing(place, act));
  }

  #after(pause: number, act: () => void): void {
    const { events } = this.#world;
    events.at(events.now + pause, act);
  }

  #note(what: string): void {
    this.#world.note(this.#number, what);
  }
}

/** The world of one of the two hosts, to which the other's silence is not its own. */
class Place implements World {
  readonly #world: World;
  readonly #host: MovingHost;
  readonly #place: number;

  constructor(world: World, host: MovingHost, place: number) {
    this.#world = world;
    this.#host = host;
    this.#place = place;
  }

  get events(): EventQueue {
    return this.#world.events;
  }

  get scenario(): Scenario {
    return this.#world.scenario;
  }

  get witness(): Witness | undefined {
    return this.#world.witness;
  }

  newStore(): Store {
    return this.#world.newStore();
  }

  send(packet: Packet): void {
    this.#host.check(this.#place, packet);
    this.#world.send(packet);
  }

  note(host: number, what: string): void {
    this.#world.note(host, this.#place === 0 ? what : `(elsewhere) ${what}`);
  }

  happened(what: Happening): void {
    this.#world.happened(what);
  }

  left(host: number, isAtRest: boolean): void {
    if (this.#host.isOwner(this.#place)) this.#world.left(host, isAtRest);
  }

  returned(host: number): void {
    if (this.#host.isOwner(this.#place)) this.#world.returned(host);
  }
}

function areSame({ files }: Luggage, again: Luggage | undefined): boolean {
  return (
    again?.files.size === files.size &&
    [...files].every(([id, file]) => Buffer.compare(file, again.files.get(id)!) === 0)
  );
}
