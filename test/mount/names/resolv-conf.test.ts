import t from 'tap';
import { candidates, parseResolvConf } from '../../../mount/names/resolv-conf.ts';

const DEFAULTS = { servers: [], search: [], ndots: 1, timeout: 5000, attempts: 2 };

t.test('what it says, and what it does not', async (t) => {
  t.same(parseResolvConf(''), DEFAULTS);
  t.same(
    parseResolvConf(`# made by hand
; another comment
nameserver 10.7.0.1   # the first
nameserver FD00:7::0:1
nameserver nobody
nameserver 10.7.0.3
nameserver 10.7.0.4
search .example.com. example.org
options ndots:2 timeout:3 attempts:4 rotate edns0
`),
    {
      servers: ['10.7.0.1', 'fd00:7::1', '10.7.0.3'],
      search: ['example.com', 'example.org'],
      ndots: 2,
      timeout: 3000,
      attempts: 4,
    },
  );
  t.match(parseResolvConf('options timeout:0 attempts:0 ndots:99'), {
    timeout: 1000,
    attempts: 1,
    ndots: 15,
  });
  t.match(parseResolvConf('search a\ndomain b'), { search: ['b'] });
});

t.test('the names to be asked for', async (t) => {
  const settings = { ...DEFAULTS, search: ['a.org', 'b.org'] };
  t.same(candidates('db', settings), ['db.a.org', 'db.b.org', 'db']);
  t.same(candidates('db.c.org', settings), ['db.c.org', 'db.c.org.a.org', 'db.c.org.b.org']);
  t.same(candidates('db.', settings), ['db']);
  t.same(candidates('db.c', { ...settings, ndots: 2 }), ['db.c.a.org', 'db.c.b.org', 'db.c']);
});
