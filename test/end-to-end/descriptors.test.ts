import '../namespace.ts';
import t from 'tap';
import { until } from './condition.ts';
import { Daemon, HOST, isMounted, STACK } from './daemon.ts';
import { established } from './established.ts';
import { children, holders, untilInside } from './processes.ts';

const DEVICES = ['/dev/fuse', '/dev/net/tun'];

/** What blocks in a system call on the mount, in every way there is. */
const BLOCKED = {
  'read of data': { script: 'exec 3< net/tcp/chat/data; echo open; exec cat <&3', call: 'read' },
  'read of accept': { script: 'exec 3< net/tcp/srv/accept; echo open; exec cat <&3', call: 'read' },
  'write to data': {
    script: 'exec 3> net/tcp/chat/data; echo open; exec cat /dev/zero >&3',
    call: 'write',
  },
  'write to connect': {
    script: `exec 3> net/tcp/call/connect; echo open; echo ${HOST}:81 >&3`,
    call: 'write',
  },
  poll: {
    script: `exec python3 -c '
import os, select
data = os.open("net/tcp/chat/data", os.O_RDONLY)
poll = select.poll()
poll.register(data, select.POLLIN)
print("open", flush=True)
poll.poll()'`,
    call: 'poll',
  },
} as const;

const ascending = (a: number, b: number) => a - b;

t.test(
  'nobody but keeper, engine and spare has the devices, and nobody is left behind',
  async (t) => {
    const daemon = await Daemon.start(t);
    const check = async (when: string) => {
      const status = await daemon.status();
      const keeper = Number(status.get('keeper_pid'));
      const engine = Number(status.get('engine_pid'));
      const spare = await until(() => children(keeper).find((child) => child !== engine));
      const expected = [keeper, engine, spare].sort(ascending);
      for (const device of DEVICES) {
        // A spare whose keeper has died has to be loaded before it knows.
        await until(() => holders(device).length === expected.length);
        t.same(holders(device).sort(ascending), expected, `${device} ${when}`);
      }
    };
    await check('when mounted');
    await daemon.killEngine();
    await check('after a death of the engine');
    const keeper = await daemon.keeperPid();
    process.kill(keeper, 'SIGKILL');
    await until(async () => (await daemon.keeperPid()) !== keeper);
    await check('after a death of the keeper');
    await daemon.killEngine();
    await check('after a death of the engine under the new keeper');

    t.hasStrict(
      await daemon.run(`
      nft -f - <<< 'table ip silence {
        chain input {
          type filter hook input priority 0
          tcp dport 81 drop
        }
      }'
      mkdir net/tcp/srv net/tcp/call
      echo ${STACK}:8080 > net/tcp/srv/bind && echo 16 > net/tcp/srv/listen
    `),
      { status: 0, stderr: '' },
    );
    await established(t, daemon, 'chat', 9000);
    const programs = [];
    for (const { script, call } of Object.values(BLOCKED)) {
      const program = daemon.shell(script);
      await program.printed(/^open$/m);
      await untilInside(program.pid, call);
      programs.push(program);
    }
    await check('while programs wait');

    t.hasStrict(await daemon.unmount(), { status: 0, stderr: '' });
    t.notOk(await isMounted(daemon.mountpoint));
    for (const program of programs) program.kill();
    await Promise.all(programs.map((program) => program.ended));
    t.pass('every program could be killed');
    for (const device of DEVICES) t.same(holders(device), [], `${device} after umount`);
  },
);
