import { IPV6_MIN_MTU } from '../../tcp/wire/ipv6.ts';
import type { CrashPlan } from './death.ts';
import type { FreezePlan } from './freeze-plan.ts';
import type { MovePlan } from './move-plan.ts';
import type { PathPlan, Span } from './path.ts';
import { Random } from './random.ts';
import type { RouterPlan } from './router.ts';

/** How a program ends its side of a connection. */
export type Ending =
  /** SHUTDOWN after its last byte; CLOSE after the peer's. */
  | 'half-close'
  /** CLOSE when both have said everything, the peer first. */
  | 'last'
  /** CLOSE after its last byte, of a peer that says nothing. */
  | 'at once'
  /** ABORT somewhere in the middle. */
  | 'abort'
  /** CLOSE somewhere in the middle, with whatever is unread. */
  | 'drop';

/** What a program does at its end of a connection. Times are milliseconds, sizes bytes. */
export interface EndPlan {
  readonly host: number;
  /** How much it says. */
  readonly length: number;
  /** How much of that one byte at a time. */
  readonly bytewise: number;
  readonly writeSize: number;
  readonly writeInterval: number;
  readonly readSize: number;
  readonly readInterval: number;
  /** When it reads nothing at all. */
  readonly readPauses: readonly Span[];
  readonly ending: Ending;
  /** For `abort` and `drop`: after how many bytes said and heard together. */
  readonly endsAfter: number;
  readonly nodelay: boolean;
  readonly pacing: boolean;
  readonly keepalive: boolean;
  /** Sends before the connection is established. */
  readonly isEager: boolean;
  /** As the server: how long its first connection waits to be accepted. */
  readonly acceptsAfter: number;
}

export interface FlowPlan {
  readonly client: EndPlan;
  readonly server: EndPlan;
  readonly startsAt: number;
  /** Where the server listens. */
  readonly port: number;
  readonly isIpv6: boolean;
  /** Both sides open at once, from this port; 0: the client alone opens. */
  readonly clientPort: number;
  /** Whether the server stops to listen once it has its connection. */
  readonly stopsListening: boolean;
}

/** Datagrams from one program to another, both on stacks. */
export interface DatagramPlan {
  readonly sender: number;
  readonly receiver: number;
  /** The receiver's; the sender's is the next. */
  readonly port: number;
  readonly isIpv6: boolean;
  /** Whether the sender's socket has a peer, and so hears of errors. */
  readonly isConnected: boolean;
  readonly startsAt: number;
  readonly count: number;
  /** How many are sent at once, and how long it is to the next. */
  readonly burst: number;
  readonly interval: number;
  /** Bytes of payload, at the most. */
  readonly longest: number;
  /** How long the receiver waits after each that it has read. */
  readonly readInterval: number;
}

export interface StackPlan {
  readonly kind: 'stack';
  readonly mtu: number;
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  /** How many times as large both may grow. */
  readonly growth: number;
  readonly timeWait: number;
  /** Whether its connections ask for ECN. */
  readonly ecn: boolean;
  /** How long packets gather before a turn, milliseconds. */
  readonly turnLag: number;
  /** How long a commit takes to be durable, milliseconds. */
  readonly commitLag: number;
  /** How many packets an egress holds. */
  readonly egressRoom: number;
  /** Whether its interface cuts and joins segments, and finishes checksums. */
  readonly offload: boolean;
  /** How fast its clock runs. */
  readonly clockRate: number;
  /** When its clock leaps forward, and how far. */
  readonly leaps: readonly { readonly at: number; readonly by: number }[];
  /** When it takes no turns, with its clock running. */
  readonly pauses: readonly Span[];
  readonly crashes: CrashPlan;
  readonly freezes: readonly FreezePlan[];
  /** When its connections move to another host that takes its address, or back from it. */
  readonly moves: readonly MovePlan[];
}

export interface PlainPlan {
  readonly kind: 'plain';
  readonly mss: number;
  /** Window scale it offers; -1: none. */
  readonly scale: number;
  /** Window it offers, by time; the last for ever. */
  readonly windows: readonly { readonly from: number; readonly window: number }[];
  /** Whether it says so when they change. Otherwise it waits to be asked. */
  readonly tellsOfWindows: boolean;
  /** Whether it may take back what it has offered. */
  readonly shrinks: boolean;
  /** Sends segments of any size up to the MSS. */
  readonly sendsCrumbs: boolean;
  /** Offers SACK, and forgets what it has told of with this probability at each segment. */
  readonly offersSack: boolean;
  readonly reneges: number;
  readonly rto: number;
}

export type HostPlan = StackPlan | PlainPlan;

export interface Scenario {
  readonly seed: bigint;
  readonly hosts: readonly HostPlan[];
  readonly flows: readonly FlowPlan[];
  readonly datagrams: readonly DatagramPlan[];
  /** By number of the sender, then of the receiver. */
  readonly paths: readonly (readonly PathPlan[])[];
  readonly routers: readonly (readonly RouterPlan[])[];
  /** From then on the network is fair and nothing dies. */
  readonly healsAt: number;
  /** Whether a reset, or a second SYN with another number, can be right. */
  readonly allowsResets: boolean;
}

/** How many bytes all connections of a seed carry together, unless the windows are tiny. */
const VOLUME = 1 << 20;
const TINY_VOLUME = 1 << 15;
/** Before this, everybody who listens does so durably. */
const QUIET = 30;

/**
 * Everything a seed decides before time begins. Each fault is there or not by a coin of its own, so that each seed leaves many
 * out (A. Groce and others, _Swarm Testing_, 2012), and each is drawn from a generator of its own.
 */
export function scenarioOf(seed: bigint): Scenario {
  const random = new Random(seed).fork('scenario');
  const isPlain = random.chance(0.35);
  const count = isPlain ? 2 : random.pick([2, 2, 2, 3, 4]);
  const healsAt = 100 + random.magnitude(100, 25_000);
  const hosts = Array.from({ length: count }, (_, i) => {
    const host = random.fork(`host ${i}`);
    return isPlain && i === 1 ? plainPlan(host, healsAt) : stackPlan(host, healsAt);
  });
  const isTiny = hosts.some(isTinyHost);
  const flowCount = isPlain ? 1 : random.pick([1, 1, 1, 2, 4]);
  const volume = Math.floor((isTiny ? TINY_VOLUME : VOLUME) / flowCount);
  const flows = Array.from({ length: flowCount }, (_, i) =>
    flowPlan(random.fork(`flow ${i}`), i, hosts, volume, healsAt, isPlain),
  );
  // A symmetric network is one more thing to be swarmed.
  const isSymmetric = random.chance(0.3);
  const paths = hosts.map((_, from) =>
    hosts.map((_, to) => {
      const [a, b] = isSymmetric && from > to ? [to, from] : [from, to];
      return pathPlan(random.fork(`path ${a} ${b}`), healsAt);
    }),
  );
  const routers = hosts.map((_, from) =>
    hosts.map((_, to) => routerPlan(random.fork(`routers ${from} ${to}`))),
  );
  const datagrams =
    !isPlain && random.fork('datagrams').chance(0.4)
      ? [datagramPlan(random.fork('datagram plan'), hosts, healsAt)]
      : [];
  return { seed, hosts, flows, datagrams, paths, routers, healsAt, allowsResets: true };
}

function isTinyHost(host: HostPlan): boolean {
  if (host.kind === 'plain') return host.windows.at(-1)!.window < 4096;
  return host.receiveBuffer < 4096 || host.sendBuffer < 4096;
}

function hasIpv6(host: HostPlan): boolean {
  return host.kind === 'plain' || host.mtu >= IPV6_MIN_MTU;
}

function stackPlan(random: Random, healsAt: number): StackPlan {
  const has = (what: string, probability: number) => random.fork(what).chance(probability);
  const crash = random.fork('crashes');
  const leap = random.fork('leaps');
  return {
    kind: 'stack',
    mtu: random.pick([1500, 1500, 1500, 1280, 576, 9000]),
    receiveBuffer: has('tiny window', 0.1)
      ? random.between(200, 4000)
      : Math.floor(random.magnitude(4096, 1 << 20)),
    growth: has('growth', 0.5) ? random.fork('growth').magnitude(1, 64) : 1,
    sendBuffer: has('tiny send buffer', 0.05)
      ? random.between(200, 2000)
      : Math.floor(random.magnitude(4096, 1 << 20)),
    timeWait: 60_000,
    ecn: has('ecn', 0.4),
    turnLag: random.magnitude(0.02, 3),
    commitLag: has('power', 0.25) ? random.magnitude(0.1, 20) : 0,
    egressRoom: has('small outbox', 0.2) ? random.between(1, 20) : Infinity,
    offload: has('offload', 0.4),
    clockRate: has('drift', 0.2) ? random.magnitude(0.9, 1.1) : 1,
    leaps: has('leaps', 0.15)
      ? Array.from({ length: leap.between(1, 3) }, () => ({
          at: QUIET + leap.fraction() * healsAt,
          by: leap.magnitude(1, 100_000),
        }))
      : [],
    pauses: has('pauses', 0.15) ? spans(random.fork('pauses'), healsAt, 5000) : [],
    crashes: {
      chance: has('crashes', 0.5) ? crash.magnitude(0.002, 0.5) : 0,
      most: Math.floor(crash.magnitude(1, 30)),
      span: { from: QUIET - 5, until: healsAt },
      downtime: crash.magnitude(0.1, 3000),
      reboots: crash.chance(0.3) ? 0.5 : 0,
    },
    freezes: has('freezes', 0.25) ? freezePlans(random.fork('freezes'), healsAt) : [],
    moves: has('moves', 0.25) ? movePlans(random.fork('moves'), healsAt) : [],
  };
}

function freezePlans(random: Random, healsAt: number): FreezePlan[] {
  return Array.from({ length: random.between(1, 4) }, () => ({
    at: QUIET + random.fraction() * healsAt,
    // More than anybody's patience.
    lasts: random.magnitude(1, 1_500_000),
    reboots: random.chance(0.2),
    losesStandIn: random.chance(0.2),
  }));
}

function movePlans(random: Random, healsAt: number): MovePlan[] {
  return Array.from({ length: random.between(1, 6) }, () => ({
    at: QUIET + random.fraction() * healsAt,
    carrying: random.magnitude(0.1, 2000),
    routing: random.magnitude(0.1, 500),
    diesLeaving: random.chance(0.4),
    diesArriving: random.chance(0.4),
    asksAgain: random.chance(0.3),
    forgets: random.chance(0.7),
  }));
}

function plainPlan(random: Random, healsAt: number): PlainPlan {
  const window = random.fork('windows');
  const isTiny = window.chance(0.15);
  const last = Math.floor(isTiny ? window.magnitude(64, 3000) : window.magnitude(4096, 200_000));
  const windows = [{ from: 0, window: last }];
  if (window.chance(0.5)) {
    for (let at = QUIET; at < healsAt; at += window.magnitude(10, healsAt)) {
      const size = window.pick([0, 0, window.between(1, 100), window.between(1, 3000), last]);
      windows.push({ from: at, window: size });
    }
    windows.push({ from: healsAt, window: last });
  }
  return {
    kind: 'plain',
    mss: random.pick([1460, 1460, 1460, 536, random.between(48, 1460)]),
    scale: random.pick([-1, 0, 2, 7, 14]),
    windows,
    tellsOfWindows: random.fork('tells').chance(0.6),
    shrinks: random.chance(0.1),
    sendsCrumbs: random.chance(0.3),
    offersSack: random.chance(0.5),
    reneges: random.chance(0.5) ? random.magnitude(0.001, 0.3) : 0,
    rto: random.magnitude(200, 1500),
  };
}

function spans(random: Random, end: number, longest: number): Span[] {
  return Array.from({ length: random.between(1, 4) }, () => {
    const from = QUIET + random.fraction() * end;
    return { from, until: Math.min(from + random.magnitude(1, longest), Math.max(from, end)) };
  });
}

function flowPlan(
  random: Random,
  number: number,
  hosts: readonly HostPlan[],
  volume: number,
  healsAt: number,
  isPlain: boolean,
): FlowPlan {
  const client = isPlain ? random.below(2) : random.below(hosts.length);
  const server = (client + random.between(1, hosts.length - 1)) % hosts.length;
  const up = random.pick([volume, 0, random.below(volume), Math.min(volume, random.below(3000))]);
  const down = random.chance(0.9) ? volume - up : 0;
  const endings = endingsOf(random.fork('endings'), up, down);
  return {
    client: endPlan(random.fork('client'), client, up, healsAt, endings[0], up + down),
    server: endPlan(random.fork('server'), server, down, healsAt, endings[1], up + down),
    startsAt: QUIET + random.below(50) * (number + 1),
    port: 80 + number,
    isIpv6: random.fork('ipv6').chance(0.4) && hosts.every(hasIpv6),
    clientPort: random.fork('simultaneous').chance(0.1) ? 4000 + number : 0,
    stopsListening: random.chance(0.3),
  };
}

function endingsOf(random: Random, up: number, down: number): [Ending, Ending] {
  if (random.chance(0.1)) {
    const rude = random.pick<Ending>(['abort', 'drop']);
    return random.chance(0.5) ? [rude, 'half-close'] : ['half-close', rude];
  }
  if (down === 0 && random.chance(0.3)) return ['at once', 'half-close'];
  if (up === 0 && random.chance(0.3)) return ['half-close', 'at once'];
  return random.pick<[Ending, Ending]>([
    ['half-close', 'half-close'],
    ['half-close', 'last'],
    ['last', 'half-close'],
  ]);
}

function endPlan(
  random: Random,
  host: number,
  length: number,
  healsAt: number,
  ending: Ending,
  both: number,
): EndPlan {
  const has = (what: string, probability: number) => random.fork(what).chance(probability);
  const isSlowReader = has('slow reader', 0.25);
  const readSize = isSlowReader ? Math.floor(random.magnitude(64, 20_000)) : 1 << 16;
  const writeSize = Math.floor(random.magnitude(200, 1 << 20));
  return {
    host,
    length,
    bytewise: has('byte at a time', 0.15) ? random.between(1, 300) : 0,
    writeSize,
    writeInterval: has('slow writer', 0.2)
      ? Math.min(random.magnitude(0.1, 100), 0.01 * writeSize)
      : 0,
    readSize,
    readInterval: isSlowReader ? Math.min(random.magnitude(0.1, 100), 0.05 * readSize) : 0,
    readPauses: has('pauses', 0.2) ? spans(random.fork('pauses'), healsAt, healsAt) : [],
    ending,
    endsAfter: random.below(both + 1),
    nodelay: random.chance(0.3),
    pacing: has('pacing', 0.3),
    keepalive: random.chance(0.3),
    isEager: random.chance(0.3),
    acceptsAfter: has('late accept', 0.1) ? random.fork('late accept').magnitude(1, 10_000) : 0,
  };
}

function datagramPlan(random: Random, hosts: readonly HostPlan[], healsAt: number): DatagramPlan {
  const sender = random.below(hosts.length);
  const count = random.between(1, 100);
  return {
    sender,
    receiver: (sender + random.between(1, hosts.length - 1)) % hosts.length,
    port: 5353,
    isIpv6: random.chance(0.4) && hosts.every(hasIpv6),
    isConnected: random.chance(0.5),
    startsAt: QUIET + random.below(50),
    count,
    burst: random.pick([1, 1, random.between(2, 20)]),
    // Before and after the network has healed.
    interval: random.magnitude(0.1, (2 * healsAt) / count),
    longest: random.pick([16, 1400, 5000, 65_000]),
    readInterval: random.chance(0.4) ? random.magnitude(0.1, 200) : 0,
  };
}

function pathPlan(random: Random, healsAt: number): PathPlan {
  const has = (what: string, probability: number) => random.fork(what).chance(probability);
  const duplicateDelay = random.magnitude(1, 20_000);
  const marking = random.fork('marking');
  return {
    delay: random.magnitude(0.1, 300),
    rate: random.magnitude(100, 1e6),
    queue: Math.floor(random.magnitude(20_000, 1e6)),
    loss: has('loss', 0.35) ? random.magnitude(0.001, 0.3) : 0,
    burstBegins: has('bursts', 0.2) ? random.magnitude(0.001, 0.05) : 0,
    burstEnds: random.magnitude(0.05, 0.5),
    jitter: has('jitter', 0.35) ? random.magnitude(0.1, 500) : 0,
    overtaking: has('overtaking', 0.3) ? random.magnitude(0.01, 1) : 0,
    duplication: has('duplication', 0.25) ? random.magnitude(0.01, 0.5) : 0,
    duplicateDelay,
    corruption: has('corruption', 0.2) ? random.magnitude(0.001, 0.2) : 0,
    marking: marking.chance(0.3) ? marking.magnitude(0.001, 1) : 0,
    mtu: has('black hole', 0.1) ? random.between(300, 1499) : Infinity,
    outages: has('outages', 0.2) ? spans(random.fork('outages'), healsAt, 8000) : [],
  };
}

function routerPlan(random: Random): RouterPlan {
  const has = (what: string, probability: number) => random.fork(what).chance(probability);
  return {
    tellsOfMtu: has('too big', 0.5) ? 0.9 : 0,
    tellsOfOutages: has('unreachable', 0.5) ? 0.5 : 0,
    forgery: has('forgery', 0.2) ? random.fork('forgeries').magnitude(0.001, 0.5) : 0,
  };
}
