import t from 'tap';
import { endpointsOf, parseDestination } from '../../fs/destination.ts';
import { KnownNames } from './known-names.ts';
import { errnoOf } from './world.ts';

t.test('every way to write one', async (t) => {
  for (const [text, host, port] of [
    ['example.com:80', 'example.com', '80'],
    ['example.com.:http', 'example.com.', 'http'],
    ['db!5432', 'db', '5432'],
    ['tcp!db!daytime', 'tcp', ''],
    ['tcp!80', 'tcp', '80'],
    ['tcp!tcp!80', 'tcp', '80'],
    ['10.7.0.1:http', '10.7.0.1', 'http'],
    ['[fd00:7::1]:http', 'fd00:7::1', 'http'],
    ['fd00:7::1!http', 'fd00:7::1', 'http'],
    ['_x.a-b.1a:80', '_x.a-b.1a', '80'],
    [`${'a'.repeat(63)}.b:80`, `${'a'.repeat(63)}.b`, '80'],
  ] as const) {
    const expected = port === '' ? { host: 'db', port: 'daytime' } : { host, port };
    t.same(parseDestination(text), expected, text);
  }
});

t.test('what is none', async (t) => {
  for (const text of [
    ...['', ':', '!', 'example.com', 'example.com:', ':80', 'a b:80', 'a:b c', '-a:80', 'a-:80'],
    ...[
      'a..b:80',
      '.a:80',
      '10.7.0.256:80',
      '1.2.3:80',
      '7:80',
      'é:80',
      'a:65536',
      'a:-1',
      'a\n:80',
    ],
    ...[
      `${'a'.repeat(64)}:80`,
      `${'a.'.repeat(127)}bc:80`,
      '[a]:80',
      '[::1:80',
      'udp!a!80',
      'a!b!80',
    ],
  ]) {
    t.equal(parseDestination(text), undefined, JSON.stringify(text));
  }
});

t.test('what it stands for', async (t) => {
  const names = new KnownNames();
  names.hosts.set('db', ['fd00:7::1', '10.7.0.1']);
  const of = (text: string) => endpointsOf(text, 'tcp', names, 7, 0);
  t.same(of('db:daytime'), [
    { address: 'fd00:7::1', port: 13 },
    { address: '10.7.0.1', port: 13 },
  ]);
  t.same(of('10.7.0.1!daytime'), [{ address: '10.7.0.1', port: 13 }]);
  t.same(of('[FD00:7::0:1]:80'), [{ address: 'fd00:7::1', port: 80 }]);
  t.same(of(':80'), [{ address: '::', port: 80 }]);
  const overUdp = (text: string) => endpointsOf(text, 'udp', names, 7, 0);
  t.same(overUdp('udp!10.7.0.1!domain'), [{ address: '10.7.0.1', port: 53 }]);
  for (const text of ['db:daytime', 'tcp!db!53', 'udp!db!']) {
    t.equal(
      errnoOf(() => overUdp(text)),
      'EINVAL',
      text,
    );
  }
  t.equal(
    errnoOf(() => of('db:gopher')),
    'EINVAL',
  );
  t.equal(
    errnoOf(() => of('nobody:80')),
    'ENOENT',
  );
  t.equal(
    errnoOf(() => of('nonsense')),
    'EINVAL',
  );
});
