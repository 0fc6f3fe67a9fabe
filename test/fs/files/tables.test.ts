import t from 'tap';
import { THERE, World } from '../world.ts';

/** The columns of each line. */
function columns(text: string): string[][] {
  return text.split(/(?<=\n)/).map((line) => line.replace(/\n$/, '').split(' '));
}

t.test('a line for each connection, in columns', async (t) => {
  const world = new World();
  t.equal(world.read('tcp/connections'), '', 'there is none');
  const peer = world.establish('chat', 9000);
  world.sendThere(peer, 'hello');
  world.isCut = true;
  world.write('tcp/chat/data', 'good day');
  world.tree.setattr(world.find('tcp/chat').node, { uid: 1000, gid: 100 }, world.call());
  world.mkdir('idle');
  world.mkdir('server');
  world.write('tcp/server/listen', ':80');
  const [, local] = world.read('tcp/chat/local').match(/^(.*)\n$/)!;
  t.same(columns(world.read('tcp/connections')), [
    ['chat', local, `${THERE}:9000`, 'ESTABLISHED', '5', '8', '1000:100'],
    ['idle', '-', '-', 'CLOSED', '0', '0', '0:0'],
  ]);
});

t.test('also those without a directory', async (t) => {
  const world = new World();
  world.mkdir('server');
  world.write('tcp/server/listen', ':80');
  world.connectThere(80);
  world.isCut = true;
  const [waiting] = columns(world.read('tcp/connections'));
  t.match(waiting, ['-', '10.7.0.2:80', /^10\.7\.0\.1:\d+$/, 'ESTABLISHED', '0', '0', '-']);
});

t.test('a line for each listener, in columns', async (t) => {
  const world = new World();
  t.equal(world.read('tcp/listeners'), '', 'there is none');
  world.mkdir('server', { uid: 1000, gid: 100 });
  world.write('tcp/server/listen', ':8080');
  world.write('tcp/server/listen', '7');
  world.connectThere(8080);
  world.connectThere(8080);
  t.same(columns(world.read('tcp/listeners')), [['server', '[::]:8080', '2', '7', '1000:100']]);
});

t.test('a name is one column, whatever is in it', async (t) => {
  const world = new World();
  for (const name of ['a b', 'a\nb', 'a\\b', '-', '\u00e9', 'a\u00a0b']) world.mkdir(name);
  t.same(
    columns(world.read('tcp/connections')).map(([name]) => name),
    ['a\\040b', 'a\\012b', 'a\\134b', '\\055', '\u00e9', 'a\\302\\240b'],
  );
});
