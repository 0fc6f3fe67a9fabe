import t from 'tap';
import { HERE, THERE, World } from '../world.ts';

/** The columns of each line behind the time. */
function lines(world: World): string[][] {
  const text = world.read('events').trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => line.split(' ').slice(1));
}

t.test('a line for each state', async (t) => {
  const world = new World();
  t.equal(world.find('events').size, 0);
  const peer = world.establish('chat');
  const [, port] = /:(\d+)\n/.exec(world.read('tcp/chat/local'))!;
  const ends = [`${HERE}:${port}`, `${THERE}:9000`];
  const sizeBefore = world.find('events').size;
  world.there.abort(peer, world.now);
  world.settle();
  t.ok(world.find('events').size > sizeBefore);
  world.rmdir('chat');
  const seen = lines(world);
  t.same(seen.at(-2), ['1', 'chat', 'ESTABLISHED', 'CLOSED', ...ends, 'ECONNRESET']);
  t.match(seen.at(-1), ['1', '-', 'CLOSED', 'GONE']);
  t.match(world.read('events'), /^\d{4}-\d\d-\d\dT[\d:.]+Z 1 chat /);
});

t.test('the next engine begins anew, and says nothing of what it finds', async (t) => {
  const world = new World();
  world.establish('chat');
  world.restart();
  t.same(lines(world), []);
  world.write('tcp/chat/shutdown', 'wr');
  t.match(lines(world).at(-1)?.slice(0, 4), ['1', 'chat', 'ESTABLISHED', /^FIN-WAIT-/]);
});
