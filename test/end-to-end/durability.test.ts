import '../namespace.ts';
import t from 'tap';
import { pretendOtherBoot } from '../persist/other-boot.ts';
import { Daemon, HOST, STACK } from './daemon.ts';
import { established } from './established.ts';
import { dial, readToEnd } from './peer.ts';
import { countRsts, rsts } from './rst-counter.ts';

const QUIET = { status: 0, stdout: '', stderr: '' };
const LINES = 300;
const READ = 100;

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('');

t.test(
  'both durabilities in one store: a crash of the host is a pause for one, and the end of the other',
  async (t) => {
    const daemon = await Daemon.start(t);
    countRsts();
    const careful = await established(t, daemon, 'careful', 9000);
    await established(t, daemon, 'careless', 9001);
    t.equal(await daemon.read('tcp/careful/sockopts/durability'), 'process');
    t.same(
      await daemon.run(`
      echo durability power > net/tcp/careful/ctl
      mkdir net/tcp/srv && echo power > net/tcp/srv/sockopts/durability
      echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
    `),
      QUIET,
    );
    t.match(await daemon.read('tcp/careful/status'), /^durability +power$/m);
    t.match(await daemon.read('tcp/careless/status'), /^durability +process$/m);
    const caller = await dial(STACK, 8080);
    t.teardown(() => caller.destroy());
    const accepted = (await daemon.run('cat net/tcp/srv/accept')).stdout.trim();
    t.equal(await daemon.read(`tcp/${accepted}/sockopts/durability`), 'power', 'as its listener');

    careful.write(numbers(1, LINES));
    t.same(
      await daemon.run(`
      exec 3< net/tcp/careful/data
      for i in {1..${READ}}; do read -r line <&3; echo $line; done
    `),
      { ...QUIET, stdout: numbers(1, READ) },
    );
    t.same(
      await daemon.run(`
      for i in {1..${LINES}}; do echo $i > net/tcp/careful/data; echo $i > net/tcp/careless/data; done
    `),
      QUIET,
    );
    await daemon.killBoth();
    pretendOtherBoot(daemon.store, false);
    await daemon.mount();

    t.equal(await daemon.read('tcp/careful/state'), 'ESTABLISHED');
    t.match(await daemon.read('tcp/careless/error'), /^ECONNABORTED/);
    t.equal(await daemon.read(`tcp/${accepted}/remote`), `${HOST}:${caller.localPort}`);
    const received = readToEnd(careful);
    careful.end();
    t.same(await daemon.run('cat net/tcp/careful/data'), {
      ...QUIET,
      stdout: numbers(READ + 1, LINES),
    });
    t.same(await daemon.run('echo close > net/tcp/careful/ctl'), QUIET);
    t.equal((await received).toString(), numbers(1, LINES));
    t.same(rsts(), { received: 0, sent: 0 });

    t.same(await daemon.run(`echo process > net/tcp/${accepted}/sockopts/durability`), QUIET);
    t.equal(await daemon.read(`tcp/${accepted}/sockopts/durability`), 'process');
  },
);
