import '../namespace.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DATA_FILE } from '../../persist/layout.ts';
import { pretendOtherBoot } from '../persist/other-boot.ts';
import { until } from './condition.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { dial } from './peer.ts';
import { countRsts, rsts } from './rst-counter.ts';

const QUIET = { status: 0, stdout: '', stderr: '' };

t.test(
  'durability process: a crash of the host ends connections with one clean error, and nothing else',
  async (t) => {
    const daemon = await Daemon.start(t);
    countRsts();
    t.same(
      await daemon.run(`
        mkdir net/tcp/srv net/tcp/idle
        chmod 600 net/tcp/srv && chown 4242 net/tcp/srv
        echo nodelay on > net/tcp/idle/ctl
        echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
      `),
      QUIET,
    );
    const peer = await established(t, daemon, 'chat', 9000);
    const waiting = await dial(STACK, 8080);
    t.teardown(() => waiting.destroy());
    peer.write('never read');
    await daemon.unmount();
    await daemon.mount();
    t.equal(await daemon.read('tcp/chat/state'), 'ESTABLISHED');
    await daemon.run('echo never saved > net/tcp/chat/data');
    await daemon.killBoth();

    pretendOtherBoot(daemon.store, false);
    writeFileSync(join(daemon.store, DATA_FILE), 'what was never synced may be anything');
    await daemon.mount();
    t.match(await daemon.run('ls net/tcp'), { status: 0, stdout: /^chat$.*^idle$.*^srv$/ms });
    t.equal(await daemon.read('tcp/chat/state'), 'CLOSED');
    t.equal(await daemon.read('tcp/chat/error'), 'ECONNABORTED Software caused connection abort');
    t.match(await daemon.run('cat net/tcp/chat/data'), {
      status: 1,
      stdout: '',
      stderr: /Software caused connection abort/,
    });
    t.equal(await daemon.read('tcp/idle/sockopts/nodelay'), 'on');
    t.equal((await daemon.run('stat -c "%u %a" net/tcp/srv/data')).stdout, '4242 600\n');
    const log = readFileSync(join(daemon.directory, 'log'), 'utf8');
    t.match(log, /the host went down: connections have ended/);
    t.same(rsts(), { received: 0, sent: 0 }, 'nobody is told before it asks');

    for (const socket of [peer, waiting]) {
      socket.on('error', () => {});
      socket.write('are you there?');
    }
    await until(() => rsts().received === 2);
    const caller = await dial(STACK, 8080);
    t.teardown(() => caller.destroy());
    const accepted = (await daemon.run('cat net/tcp/srv/accept')).stdout.trim();
    t.equal(await daemon.read(`tcp/${accepted}/remote`), `${HOST}:${caller.localPort}`);

    await daemon.killEngine();
    t.equal(await daemon.read('tcp/chat/state'), 'CLOSED');
    t.same(await daemon.run('rmdir net/tcp/chat'), QUIET);
  },
);

t.test(
  'a crash of the host before anything is saved: an empty store, and a line in the log',
  async (t) => {
    const daemon = await Daemon.start(t);
    await daemon.run('mkdir net/tcp/chat');
    await daemon.killBoth();
    pretendOtherBoot(daemon.store, false);
    for (const name of [DATA_FILE, 'snapshot']) writeFileSync(join(daemon.store, name), '');
    await daemon.run('rm net.store/snapshot');
    await daemon.mount();
    t.equal((await daemon.status()).get('connections'), '0');
    t.match(
      readFileSync(join(daemon.directory, 'log'), 'utf8'),
      /the host went down before anything was saved/,
    );
    t.same(await daemon.run('mkdir net/tcp/chat'), QUIET);
  },
);
