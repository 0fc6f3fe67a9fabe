import t from 'tap';
import { World } from '../world.ts';

function value(world: World, name: string): number {
  const [, digits] = new RegExp(`^${name}: (\\d+)$`, 'm').exec(world.read('tcp/stats'))!;
  return Number(digits);
}

t.test('a counter a line', async (t) => {
  const world = new World();
  t.equal(value(world, 'TcpActiveOpens'), 0);
  const peer = world.establish('chat');
  t.equal(value(world, 'TcpActiveOpens'), 1);
  t.equal(value(world, 'TcpCurrEstab'), 1);
  const before = value(world, 'TcpInSegs');
  world.sendThere(peer, 'hello');
  t.equal(value(world, 'TcpInSegs'), before + 1);
  world.there.abort(peer, world.now);
  world.settle();
  t.equal(value(world, 'TcpCurrEstab'), 0);
  t.equal(value(world, 'TcpInRsts'), 1);
  for (const line of world.read('tcp/stats').trimEnd().split('\n')) t.match(line, /^\w+: \d+$/);
});
