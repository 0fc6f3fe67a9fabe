import type { PathPlan } from './path.ts';
import type { RouterPlan } from './router.ts';
import type { DatagramPlan, EndPlan, FlowPlan, Scenario, StackPlan } from './scenario.ts';

/** What two stacks say to each other in a short life, over a network without fault. Times are milliseconds, sizes bytes. */
export interface ShortRun {
  readonly name: string;
  readonly flow?: Partial<FlowPlan>;
  readonly client?: Partial<EndPlan>;
  readonly server?: Partial<EndPlan>;
  readonly host?: Partial<StackPlan>;
  readonly datagrams?: Partial<DatagramPlan>;
}

export const SHORT_RUNS: readonly ShortRun[] = [
  { name: 'a few KiB each way, each side ending when it has said all' },
  { name: 'the server ends last', server: { ending: 'last' } },
  { name: 'the client ends last, with IPv6', flow: { isIpv6: true }, client: { ending: 'last' } },
  { name: 'nothing but a handshake and two FINs', client: { length: 0 }, server: { length: 0 } },
  {
    name: 'text and FIN wait in the accept queue, and nobody listens after that',
    flow: { stopsListening: true },
    client: { isEager: true, length: 3000 },
    server: { acceptsAfter: 40 },
  },
  { name: 'a simultaneous open', flow: { clientPort: 4000 }, client: { isEager: true } },
  {
    name: 'windows that close on a slow reader',
    client: { length: 3000 },
    server: { length: 100, readSize: 300, readInterval: 7 },
    host: { receiveBuffer: 900 },
  },
  { name: 'a writer of single bytes', client: { length: 12, bytewise: 12 }, server: { length: 1 } },
  {
    name: 'datagrams that wait for their reader, one of them in fragments',
    client: { length: 0 },
    server: { length: 0 },
    datagrams: { count: 6, burst: 2, interval: 4, longest: 2500, readInterval: 3 },
  },
  {
    name: 'datagrams to a peer, over IPv6',
    client: { length: 0 },
    server: { length: 0 },
    datagrams: { count: 4, isIpv6: true, isConnected: true, sender: 1, receiver: 0 },
  },
];

const PATH: PathPlan = {
  delay: 5,
  // A segment and a half in each millisecond, so that turns have few packets.
  rate: 1000,
  queue: Infinity,
  loss: 0,
  burstBegins: 0,
  burstEnds: 1,
  jitter: 0,
  overtaking: 0,
  duplication: 0,
  duplicateDelay: 0,
  corruption: 0,
  marking: 0,
  mtu: Infinity,
  outages: [],
};

const ROUTER: RouterPlan = { tellsOfMtu: 0, tellsOfOutages: 0, forgery: 0 };

const HOST: StackPlan = {
  kind: 'stack',
  mtu: 1500,
  receiveBuffer: 65_536,
  sendBuffer: 65_536,
  growth: 1,
  timeWait: 60_000,
  turnLag: 0.02,
  commitLag: 0,
  egressRoom: Infinity,
  offload: false,
  ecn: true,
  clockRate: 1,
  leaps: [],
  pauses: [],
  crashes: new Map(),
  freezes: [],
  moves: [],
};

const END: Omit<EndPlan, 'host'> = {
  length: 5000,
  bytewise: 0,
  writeSize: 2000,
  writeInterval: 0,
  readSize: 65_536,
  readInterval: 0,
  readPauses: [],
  ending: 'half-close',
  endsAfter: 0,
  nodelay: true,
  pacing: false,
  keepalive: false,
  isEager: false,
  acceptsAfter: 0,
};

const DATAGRAMS: DatagramPlan = {
  sender: 0,
  receiver: 1,
  port: 5353,
  isIpv6: false,
  isConnected: false,
  startsAt: 5,
  count: 4,
  burst: 1,
  interval: 2,
  longest: 100,
  readInterval: 0,
};

/** @param hosts what is particular to the client's host and to the server's */
export function scenarioOfShortRun(
  { flow, client, server, host, datagrams }: ShortRun,
  hosts: readonly Partial<StackPlan>[],
): Scenario {
  return {
    seed: 1n,
    hosts: [0, 1].map((i) => ({ ...HOST, ...host, ...hosts[i] })),
    flows: [
      {
        client: { ...END, ...client, host: 0 },
        server: { ...END, ...server, host: 1 },
        startsAt: 10,
        port: 80,
        isIpv6: false,
        clientPort: 0,
        stopsListening: false,
        ...flow,
      },
    ],
    datagrams: datagrams === undefined ? [] : [{ ...DATAGRAMS, ...datagrams }],
    paths: [0, 1].map(() => [PATH, PATH]),
    routers: [0, 1].map(() => [ROUTER, ROUTER]),
    healsAt: 0,
    allowsResets: false,
  };
}
