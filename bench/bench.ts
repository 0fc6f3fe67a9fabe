// Our tree against the kernel's TCP, in turns, with the same load programs (load.c).
//
//   npm run bench -- [--quick] [--rounds 7] [--milliseconds 2000] [--durability none,process,power]
//                    [--offload on,off] [--idle 0,100000] [--program OTHER/mount/cli.js] [--workloads out,in,...] [--json FILE] [--svg FILE]
//                    [--profile DIRECTORY]
//
// `--program` compares with another build of ours, inside this checkout (`tsc --outDir`).
// `--idle` is how many other connections a mount holds, about which nothing happens.
// With `--durability none` nothing is written to the store, though all is copied as if it were.
import '../test/namespace.ts';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { monotonicNow } from '../persist/clock.ts';
import { Daemon, HOLDFAST } from '../test/end-to-end/daemon.ts';
import { Shell } from '../test/end-to-end/shell.ts';
import { type Contender, Kernel, Mount, serveSockets } from './contender.ts';
import { MEMORY_OF_IDLE, makeIdleStore, silenceIdlePeers } from './idle-store.ts';
import { Load, type Server } from './load.ts';
import { plot } from './plot.ts';
import { formatReport, sectionsOf } from './report.ts';
import type { Sample } from './sample.ts';
import { Scope } from './scope.ts';
import { WORKLOADS } from './workloads.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    durability: { type: 'string', default: 'process' },
    offload: { type: 'string', default: 'on,off' },
    idle: { type: 'string', default: '0' },
    program: { type: 'string', multiple: true, default: [] },
    workloads: { type: 'string', default: WORKLOADS.map(({ name }) => name).join() },
    json: { type: 'string' },
    svg: { type: 'string' },
    profile: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));
const milliseconds = Number(values.milliseconds ?? (values.quick ? 400 : 2000));
const chosen = values.workloads.split(',');
const workloads = WORKLOADS.filter(({ name }) => chosen.includes(name));

/** What every ratio is to. */
const BASELINE = 'kernel, plain veth';

/** A client that closes first keeps its port for a minute. */
const SETTINGS = 'sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1';

if (values.profile !== undefined) {
  process.env['HOLDFAST_PROFILE'] = resolve(values.profile);
  const modules = ['tsx', './profile.ts'].map((name) => `--import=${import.meta.resolve(name)}`);
  process.env['NODE_OPTIONS'] = modules.join(' ');
}

await Scope.run(async (scope) => {
  const { directory } = Daemon.prepare(scope);
  const load = new Load(scope, directory);
  execFileSync('bash', ['-c', SETTINGS]);
  const server = await serveSockets(load);
  const contenders: Contender[] = [
    ...(await kernels(scope, load, directory, server)),
    ...(await mounts(scope, load, server)),
  ];
  // V8 has compiled nothing of a new engine, nor has the file system given it pages.
  for (const workload of workloads) {
    for (const contender of contenders) await contender.carry(workload, milliseconds);
  }
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const workload of workloads) {
      for (const contender of contenders) {
        samples.push(await contender.carry(workload, milliseconds));
      }
    }
    process.stderr.write(`round ${round + 1} of ${rounds}, load ${loadavg()[0]!.toFixed(2)}\n`);
  }
  const about = {
    date: new Date().toISOString().slice(0, 16),
    commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
    machine: `${cpus().length} x ${cpus()[0]!.model}, Linux ${release()}, Node ${process.version}`,
    rounds,
    milliseconds,
    load: loadavg().map((value) => Number(value.toFixed(2))),
    syncedDiskGbits: ((await load.disk(join(directory, 'disk'), milliseconds)) * 8) / 1e9,
  };
  const caption = `${about.date}, commit ${about.commit}, ${about.machine}, ${rounds} rounds of ${milliseconds} ms, load ${about.load[0]}`;
  const sections = sectionsOf(samples, BASELINE);
  process.stdout.write(
    `${caption}\nthe store's disk: ${about.syncedDiskGbits.toFixed(2)} Gbit/s of synced writes\n\n${formatReport(sections)}`,
  );
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ about, sections, samples }, undefined, 1)}\n`);
  }
  if (values.svg !== undefined) writeFileSync(values.svg, plot(sections, caption));
});

/** Two pairs of interfaces to one other namespace: one that does what hardware does nowadays, and one that does nothing. */
async function kernels(
  scope: Scope,
  load: Load,
  directory: string,
  near: Server,
): Promise<Contender[]> {
  const namespace = new Shell('echo ready; exec sleep infinity', directory, ['unshare', '--net']);
  scope.teardown(async () => {
    namespace.kill();
    await namespace.ended;
  });
  await namespace.printed(/ready/);
  const inFar = ['nsenter', `--net=/proc/${namespace.pid}/ns/net`];
  const run = (prefix: readonly string[], script: string) =>
    execFileSync('bash', ['-c', `${prefix.join(' ')} bash -ec '${script}'`]);
  run(inFar, SETTINGS);
  const far = await serveSockets(load, inFar);
  const pair = async (name: string, network: string, isPlain: boolean): Promise<Contender> => {
    const [here, there] = [`${name}-near`, `${name}-far`];
    run([], `ip link add ${here} type veth peer name ${there} netns ${namespace.pid}`);
    if (isPlain) {
      await load.makePlain(here);
      await load.makePlain(there, inFar);
    }
    run([], `ip address add ${network}.1/24 dev ${here}; ip link set ${here} up`);
    run(inFar, `ip address add ${network}.2/24 dev ${there}; ip link set ${there} up`);
    const title = isPlain ? BASELINE : 'kernel, veth with offloads';
    return new Kernel(title, load, `${network}.1`, `${network}.2`, inFar, near, far);
  };
  return [await pair('plain', '10.8.0', true), await pair('offload', '10.9.0', false)];
}

/** What there is one mount for, for each combination. */
interface Variant {
  readonly program: string;
  readonly durability: string;
  readonly offload: string;
  readonly idle: number;
}

function variants(): Variant[] {
  const programs = [HOLDFAST, ...values.program.map((path) => resolve(path))];
  const [durabilities, offloads] = [values.durability.split(','), values.offload.split(',')];
  return programs.flatMap((program) =>
    durabilities.flatMap((durability) =>
      offloads.flatMap((offload) =>
        values.idle
          .split(',')
          .map((idle) => ({ program, durability, offload, idle: Number(idle) })),
      ),
    ),
  );
}

function nameOf({ program, durability, offload, idle }: Variant): string {
  const words = ['holdfast', durability];
  if (offload === 'off') words.push('plain');
  if (idle > 0) words.push(`${idle} idle`);
  if (program !== HOLDFAST) words.push(relative('', program));
  return words.join(', ');
}

async function mounts(scope: Scope, load: Load, far: Server): Promise<Contender[]> {
  const all = variants();
  scope.teardown(silenceIdlePeers(Math.max(...all.map(({ idle }) => idle))));
  const contenders: Contender[] = [];
  for (const [index, variant] of all.entries()) {
    const { program, durability, offload, idle } = variant;
    const [tun, network] = [`holdfast${index}`, `10.${20 + index}.0`];
    const [stack, host] = [`${network}.2`, `${network}.1`];
    const daemon = Daemon.prepareUnarmed(scope, program);
    await makeIdleStore(daemon.store, idle, monotonicNow(), { here: stack, there: host });
    const isWritten = durability !== 'none';
    if (!isWritten) process.env['HOLDFAST_JOURNAL'] = 'none';
    await daemon.mount(
      ...['--tun', tun, '--address', `${stack}/24`, '--host-address', `${host}/24`],
      ...['--durability', isWritten ? durability : 'process', '--offload', offload],
      ...['--memory', String(2 * MEMORY_OF_IDLE)],
    );
    delete process.env['HOLDFAST_JOURNAL'];
    contenders.push(await Mount.of(nameOf(variant), load, daemon, tun, stack, host, far));
  }
  return contenders;
}
