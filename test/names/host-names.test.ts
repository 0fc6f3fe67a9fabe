import t from 'tap';
import { HostNames } from '../../names/host-names.ts';
import { ErrnoError } from '../../tcp/errno.ts';

t.test('the files are followed when they change', async (t) => {
  let hosts = '10.7.0.1 db';
  const names = new HostNames({ hosts: () => hosts, services: () => 'http 80/tcp' }, undefined);
  t.same(names.addresses('DB.'), ['10.7.0.1']);
  hosts = '10.7.0.9 db\nfd00:7::9 db';
  t.same(names.addresses('db'), ['10.7.0.9', 'fd00:7::9']);
  t.equal(names.port('http'), 80);
  t.equal(names.port('gopher'), undefined);
});

t.test('who is not there, and why', async (t) => {
  const names = new HostNames({ hosts: () => '', services: () => '' }, undefined);
  t.throws(() => names.addresses('db'), new ErrnoError('ENOENT', 'db is not in /etc/hosts'));
});
