import t from 'tap';
import { parseHosts } from '../../../mount/names/hosts-file.ts';

t.test('names and aliases, in any case, with all their addresses', async (t) => {
  const hosts = parseHosts(`# a comment
127.0.0.1\tlocalhost
::1  localhost ip6-localhost

10.7.0.1  Db.Example.com db   # the database
10.7.0.9  db
not-an-address  name
10.7.0.3
`);
  t.same(Object.fromEntries(hosts), {
    localhost: ['127.0.0.1', '::1'],
    'ip6-localhost': ['::1'],
    'db.example.com': ['10.7.0.1'],
    db: ['10.7.0.1', '10.7.0.9'],
  });
  t.equal(parseHosts('').size, 0);
});
