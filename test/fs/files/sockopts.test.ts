import t from 'tap';
import { errnoOf, World } from '../world.ts';

/** Each option: what it is at first, values that it takes, and what is none. */
const OPTIONS: Record<string, { first: string; values: string[]; wrong: string[] }> = {
  keepalive: { first: 'off', values: ['on', 'off'], wrong: ['', 'yes', 'ON', 'on off'] },
  keepalive_idle_ms: { first: '7200000', values: ['1', '32767000'], wrong: ['0', '32767001'] },
  keepalive_interval_ms: { first: '75000', values: ['1', '32767000'], wrong: ['0', '32767001'] },
  keepalive_count: { first: '9', values: ['1', '127'], wrong: ['0', '128'] },
  nodelay: { first: 'off', values: ['on', 'off'], wrong: ['2'] },
  user_timeout_ms: { first: '0', values: ['1', '2147483647', '0'], wrong: ['2147483648', '-1'] },
  receive_buffer_bytes: {
    first: '1048576',
    values: ['2048', '8388608'],
    wrong: ['2047', '8388609'],
  },
  send_buffer_bytes: { first: '1048576', values: ['2048', '8388608'], wrong: ['2047', '8388609'] },
  ttl: { first: '64', values: ['1', '255'], wrong: ['0', '256', '1.5', '0x10', ' '] },
  tos: { first: '0', values: ['184', '252', '0'], wrong: ['1', '2', '3', '256'] },
  congestion_control: { first: 'cubic', values: ['reno', 'cubic'], wrong: ['bbr', '0', 'Reno'] },
  v6only: { first: 'off', values: ['on', 'off'], wrong: ['1'] },
  ecn: { first: 'off', values: ['on', 'off'], wrong: ['3'] },
  maxseg_bytes: { first: '536', values: ['88', '32767'], wrong: ['87', '32768', '0'] },
  user_timeout_option: { first: 'off', values: ['on', 'off'], wrong: ['30'] },
  pacing: { first: 'off', values: ['on', 'off'], wrong: ['1'] },
  durability: { first: 'process', values: ['power', 'process'], wrong: ['0', 'host'] },
};

const NAMES = Object.keys(OPTIONS);

t.test('there is a file for each option', async (t) => {
  const world = new World();
  world.mkdir('chat');
  t.same(world.list('tcp/chat/sockopts'), ['.', '..', ...NAMES]);
  t.match(world.find('tcp/chat/sockopts/ttl'), { mode: 0o100660, size: 4096 });
  t.equal(
    errnoOf(() => world.find('tcp/chat/sockopts/mss')),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => world.find('tcp/chat/ttl')),
    'ENOENT',
  );
});

for (const [name, { first, values, wrong }] of Object.entries(OPTIONS)) {
  t.test(
    `${name}: reads as its value, takes a new one; a verb of ctl by the same name`,
    async (t) => {
      const world = new World();
      world.mkdir('chat');
      const path = `tcp/chat/sockopts/${name}`;
      t.equal(world.read(path), `${first}\n`);
      for (const value of values) {
        world.write(path, `${value}\n`);
        t.equal(world.read(path), `${value}\n`);
      }
      for (const value of [...values].reverse()) {
        world.write('tcp/chat/ctl', `${name} ${value}`);
        t.equal(world.read(path), `${value}\n`, 'by ctl');
      }
      for (const value of wrong) {
        t.equal(
          errnoOf(() => world.write(path, value)),
          'EINVAL',
          `not ${value}`,
        );
        t.equal(
          errnoOf(() => world.write('tcp/chat/ctl', `${name} ${value}`)),
          'EINVAL',
          `not ${value} by ctl`,
        );
        t.equal(world.read(path), `${values[0]}\n`, 'and nothing has changed');
      }
    },
  );
}

t.test('a connection has the options of its listener', async (t) => {
  const world = new World();
  world.mkdir('server');
  world.write('tcp/server/listen', ':80');
  const set = NAMES.filter((name) => name !== 'v6only');
  for (const name of set) {
    const { values } = OPTIONS[name]!;
    world.write(`tcp/server/sockopts/${name}`, values[0]!);
  }
  const peer = world.there.create();
  world.there.connect(peer, { address: '10.7.0.2', port: 80 }, world.now);
  world.settle();
  const accepted = world.read('tcp/server/accept').trim();
  for (const name of set) {
    const path = `tcp/${accepted}/sockopts/${name}`;
    t.equal(world.read(path), `${OPTIONS[name]!.values[0]}\n`, name);
  }
  world.write(`tcp/${accepted}/sockopts/ttl`, '7');
  t.equal(world.read('tcp/server/sockopts/ttl'), '1\n', 'its own from then on');
});

t.test('what is bound stays bound as it is', async (t) => {
  const world = new World();
  world.mkdir('server');
  world.write('tcp/server/sockopts/v6only', 'on');
  world.write('tcp/server/bind', '[::]:80');
  t.equal(
    errnoOf(() => world.write('tcp/server/sockopts/v6only', 'off')),
    'EINVAL',
  );
  world.mkdir('other');
  world.write('tcp/other/bind', '0.0.0.0:80');
});

t.test('a smaller receive buffer takes back nothing that was offered', async (t) => {
  const world = new World({ receiveBuffer: 20_000 });
  const peer = world.establish('chat');
  const text = new Uint8Array(20_000).fill(7);
  world.write('tcp/chat/sockopts/receive_buffer_bytes', '2048');
  // What the peer was offered before, it may use.
  t.equal(world.there.send(peer, text, world.now), text.length);
  world.pass(100);
  const pcb = [...world.here.pcbs.values()].find(({ state }) => state === 'ESTABLISHED')!;
  t.equal(pcb.readable, text.length);
  world.here.receive(pcb, new Uint8Array(20_000), world.now);
  world.pass(100);
  t.equal(pcb.RCV_WND <= 2048, true, 'from now on it is offered no more than the new size');
});

t.test('a larger send buffer has room at once', async (t) => {
  const world = new World({ sendBuffer: 4096, receiveBuffer: 4096 });
  world.establish('chat');
  const [pcb] = [...world.here.pcbs.values()].filter(({ state }) => state === 'ESTABLISHED');
  world.isCut = true;
  t.equal(world.here.send(pcb!, new Uint8Array(10_000), world.now), 4096);
  world.takeChanged();
  world.here.setOption(pcb!, 'SNDBUF', 2048, world.now);
  t.equal(world.here.send(pcb!, new Uint8Array(10_000), world.now), 0, 'what it holds stays');
  t.equal(pcb!.writable, 0);
  world.here.setOption(pcb!, 'SNDBUF', 4096, world.now);
  t.equal(world.takeChanged().includes(pcb!), true, 'who waits for room hears of it');
});

t.test('nodelay lets go what waits', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.isCut = true;
  world.write('tcp/chat/data', 'a');
  world.settle();
  world.isCut = false;
  // The first byte is lost, so the second waits for its acknowledgment.
  world.write('tcp/chat/data', 'b');
  world.settle();
  t.equal(peer.readable, 0);
  world.write('tcp/chat/sockopts/nodelay', 'on');
  world.settle();
  // It arrived, out of order, and that told of the loss.
  t.equal(peer.readable, 2);
});

t.test('a user timeout that is set while nobody answers ends the wait', async (t) => {
  const world = new World();
  world.establish('chat');
  world.isCut = true;
  world.write('tcp/chat/data', 'is anybody there?');
  world.pass(60_000);
  t.equal(world.read('tcp/chat/state'), 'ESTABLISHED\n');
  world.write('tcp/chat/sockopts/user_timeout_ms', '1000');
  world.settle();
  t.equal(world.read('tcp/chat/error'), 'ETIMEDOUT Connection timed out\n');
});

t.test('the peer is told a new user timeout, and takes it over if its user likes', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.there.setOption(peer, 'UTO', 1, world.now);
  world.write('tcp/chat/sockopts/user_timeout_option', 'on');
  world.write('tcp/chat/sockopts/user_timeout_ms', '250000');
  world.write('tcp/chat/data', 'x');
  t.equal(peer.REMOTE_UTO, 250_000);
});
