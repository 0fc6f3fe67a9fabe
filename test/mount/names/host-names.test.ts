import t from 'tap';
import { HostNames } from '../../../mount/names/host-names.ts';
import { ErrnoError } from '../../../tcp/errno.ts';
import { World } from '../../fs/world.ts';

const EMPTY = {
  hosts: () => '',
  services: () => '',
  resolvConf: () => '',
  upstreamResolvConf: () => '',
};

t.test('the files are followed when they change', async (t) => {
  let hosts = '10.7.0.1 db';
  const files = { ...EMPTY, hosts: () => hosts, services: () => 'http 80/tcp' };
  const names = new HostNames({ stack: new World().here, entropy: () => 0, files });
  t.same(names.addresses('DB.', 0, 0), ['10.7.0.1']);
  hosts = '10.7.0.9 db\nfd00:7::9 db';
  t.same(names.addresses('db', 0, 0), ['10.7.0.9', 'fd00:7::9']);
  t.equal(names.port('http', 'tcp'), 80);
  t.equal(names.port('http', 'udp'), undefined);
});

t.test('who is not there, and why', async (t) => {
  const names = new HostNames({ stack: new World().here, entropy: () => 0, files: EMPTY });
  const error = new ErrnoError('ENOENT', 'db: not in /etc/hosts, and there is no name server');
  t.throws(() => names.addresses('db', 0, 0), error);
  t.equal(names.deadline, Infinity);
});
