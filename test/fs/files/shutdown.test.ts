import t from 'tap';
import { errnoOf, O_RDONLY, World } from '../world.ts';

t.test('wr ends what is sent, rd what is read', async (t) => {
  const world = new World();
  const peer = world.establish('chat');
  world.write('tcp/chat/shutdown', 'wr\n');
  t.ok(peer.atEnd);
  t.equal(
    errnoOf(() => world.write('tcp/chat/data', 'more')),
    'EPIPE',
  );
  world.write('tcp/chat/shutdown', 'rd');
  t.equal(world.read('tcp/chat/data'), '');
});

t.test('what is none of the three, and what is not connected', async (t) => {
  const world = new World();
  world.mkdir('idle');
  for (const text of ['', 'both', 'WR', 'wr rd']) {
    t.equal(
      errnoOf(() => world.write('tcp/idle/shutdown', text)),
      'EINVAL',
      text,
    );
  }
  t.equal(
    errnoOf(() => world.write('tcp/idle/shutdown', 'wr')),
    'ENOTCONN',
  );
  t.equal(
    errnoOf(() => world.open('tcp/idle/shutdown', O_RDONLY)),
    'EACCES',
  );
});
