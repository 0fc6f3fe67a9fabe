// Whether our packets look to Wireshark as the kernel's do: npm run analyse
//
// Each run is captured at the far end, once with a mount at the near end and once with the kernel. tshark looks into both captures,
// checksums included. It may find nothing malformed, and what else it notes (retransmissions, windows that are full, resets, ...)
// must be something that it notes of the kernel's run too.
import '../namespace.ts';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BadPath, NEAR, NEAR6 } from './bad-path.ts';
import type { Near } from './bad-path-transfer.ts';
import { CAPTURED_RUNS, type CapturedRun } from './captured-runs.ts';
import { Daemon, IPV6, STACK, STACK6 } from './daemon.ts';
import { SEED } from './seed.ts';

/** Checksums are looked at only where that is asked for. */
const CHECKS = ['ip.check_checksum:TRUE', 'tcp.check_checksum:TRUE'].flatMap((check) => [
  '-o',
  check,
]);

/** What is only worth a chat (packet.h, PI_CHAT) is part of every connection: SYN, FIN, an update of the window. */
const CHAT = 0x00200000;

/** What we do by the RFCs, and the kernel in another way. */
const OTHERWISE = new Set([
  // RFC 9293 section 3.8.6.1: a probe has an octet of text. Linux's has none, which tshark takes for a keep-alive.
  'TCP Zero Window Probe',
  'ACK to a TCP Zero Window Probe',
  // RFC 5681 section 4.2. Linux answers each segment that is out of order too, but its window moves meanwhile: an update to tshark.
  'Duplicate ACK (#N)',
  // By the far end, the kernel: the program at the near end was slower than the path.
  'TCP window specified by the receiver is now completely full',
]);

/** What tshark notes of a capture, the numbers in it left out, and how often. */
type Notes = ReadonlyMap<string, number>;

function notes(capture: string): Notes {
  const output = execFileSync(
    'tshark',
    [
      ...['-r', capture, ...CHECKS, '-Y', '_ws.expert', '-T', 'fields', '-E', 'aggregator=|'],
      ...['-e', '_ws.expert.severity', '-e', '_ws.expert.message'],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 },
  );
  const found = new Map<string, number>();
  for (const line of output.split('\n').filter(Boolean)) {
    const [severities, messages] = line.split('\t').map((field) => field.split('|'));
    for (const [index, message] of messages!.entries()) {
      if (Number(severities![index]) <= CHAT) continue;
      const note = message
        .replace(/0x[0-9a-f]+|\d+/g, 'N')
        // Which of the three it says depends on how soon after the duplicate ACKs it came.
        .replace(/\(suspected\) (fast )?(retransmission|out-of-order segment)$/, 'sent again');
      found.set(note, (found.get(note) ?? 0) + 1);
    }
  }
  return found;
}

/** The near end's. A connection of an earlier run may still be ending. */
const ADDRESSES: Readonly<Record<Near, string>> = {
  mount: `'host ${STACK} or host ${STACK6}'`,
  kernel: `'host ${NEAR} or host ${NEAR6}'`,
};

async function capture(t: Test, daemon: Daemon, run: CapturedRun, near: Near): Promise<Notes> {
  const file = join(daemon.directory, `${near}.pcap`);
  await t.test(`${near}`, async (t) => {
    const path = await BadPath.start(t, daemon.directory, SEED, run.faults);
    const tcpdump = path.shell(
      `exec tcpdump -Z root --immediate-mode -s 2048 -B 65536 -i far -w ${file} ${ADDRESSES[near]} 2>&1`,
    );
    await tcpdump.printed(/listening on/);
    const far = path.shell(run.far);
    await far.printed(/listening/);
    const [nearEnded, farEnded] = await Promise.all([daemon.run(run.near[near]), far.ended]);
    t.hasStrict(nearEnded, { status: 0, stderr: '' });
    t.hasStrict(farEnded, { status: 0, stderr: '' });
    process.kill(tcpdump.pid, 'SIGINT');
    t.hasStrict(await tcpdump.ended, { status: 0 });
  });
  return notes(file);
}

t.setTimeout(0);
t.comment(`HOLDFAST_SEED=${SEED}`);
// A capture at the interface shows what crosses it: with offload that is no packet of a network.
const daemon = await Daemon.start(t, ...IPV6, '--offload', 'off');
for (const run of CAPTURED_RUNS) {
  t.test(run.title, async (t) => {
    const ours = await capture(t, daemon, run, 'mount');
    const kernels = await capture(t, daemon, run, 'kernel');
    for (const [note, count] of ours) {
      t.comment(`${note}: ${count}, the kernel ${kernels.get(note) ?? 0}`);
      t.notMatch(note, /malformed|bad checksum/i);
      t.ok(kernels.has(note) || OTHERWISE.has(note), `tshark notes of the kernel too: ${note}`);
    }
  });
}
