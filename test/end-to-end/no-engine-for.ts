import { writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import { monotonicNow } from '../../persist/clock.ts';
import { Bulk, cameThrough, Gate, MIB } from './bulk.ts';
import { until } from './condition.ts';
import { STACK } from './daemon.ts';
import { backoffs, NoEngine } from './no-engine.ts';
import { countRsts, rsts } from './rst-counter.ts';
import { SEED } from './seed.ts';

const SIZE = 32 * MIB;

/** Sends echo requests until one is answered. */
const PING = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.connect(("${STACK}", 0))
s.settimeout(0.1)
while True:
    s.send(bytes((8, 0, 0xf7, 0xfd, 0, 1, 0, 1)))
    try:
        if s.recv(1000)[20] == 0: break
    except TimeoutError: pass
`;

/**
 * Two daemons have no engine any more, and one of them nobody who stands in: there the peer gives up, and here it goes on when there is
 * an engine again.
 * @param retries `tcp_retries2` of the peers
 * @param seconds for how long there is none at the least
 */
export async function noEngineFor(t: Test, retries: number, seconds: number): Promise<void> {
  t.comment(`HOLDFAST_SEED=${SEED}`);
  writeFileSync('/proc/sys/net/ipv4/tcp_retries2', `${retries}`);
  countRsts();
  const answered = await NoEngine.start(t);
  const other = ['--tun', 'holdfast1', '--address', '10.9.0.2/24', '--host-address', '10.9.0.1/24'];
  const unanswered = await NoEngine.start(t, ...other);
  unanswered.withoutStandIn();

  const gate = new Gate();
  gate.open(SIZE / 2);
  const bulk = new Bulk(answered.daemon, 'bulk', SIZE, SEED);
  const transfer = bulk.run(9000, gate);
  // Looked at in the end.
  transfer.catch(() => {});
  const lost = new Bulk(unanswered.daemon, 'bulk', SIZE, SEED);
  const loss = t.rejects(lost.run(9001, gate, '10.9.0.1'), { code: 'ETIMEDOUT' });
  await Promise.all([bulk.untilProgress(SIZE / 4), lost.untilProgress(SIZE / 4)]);
  await Promise.all([answered.take(), unanswered.take()]);
  const began = monotonicNow();
  gate.open(Number.POSITIVE_INFINITY);

  await loss;
  // After so many timeouts in a row the peer has passed the one at which it would have given up.
  await until(() => {
    const counts = backoffs(9000);
    if (counts.length === 0) throw new Error('the peer has given up all the same');
    return counts.some((count) => count >= retries + 2);
  });
  await until(() => monotonicNow() - began >= seconds * 1000);
  t.ok(answered.standIn, 'somebody stands in');
  t.hasStrict(await answered.daemon.run(`python3 -c '${PING}'`), { status: 0, stderr: '' });
  await answered.giveBack();
  t.equal(answered.standIn, undefined);
  cameThrough(t, await transfer);
  t.same(rsts().received, 0);
}
