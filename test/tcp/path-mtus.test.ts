import t from 'tap';
import { IpAddress } from '../../tcp/address.ts';
import { PathMtus } from '../../tcp/path-mtus.ts';

const here = IpAddress.fromIpv4(0x0a070001);
const there = new IpAddress(0xfd000007, 0, 0, 1);

t.test('each path has its own, and the newest counts', async (t) => {
  const paths = new PathMtus();
  t.equal(paths.find(here, 0), undefined);
  paths.learn(here, 1400, 0);
  paths.learn(there, 1280, 1);
  paths.learn(here, 1200, 2);
  t.same(paths.find(here, 3), { mtu: 1200, toldAt: 2 });
  t.same(paths.find(there, 3), { mtu: 1280, toldAt: 1 });
});

t.test('it holds for ten minutes (RFC 1191 section 6.3)', async (t) => {
  const paths = new PathMtus();
  paths.learn(here, 1400, 5000);
  t.same(paths.find(here, 604_999), { mtu: 1400, toldAt: 5000 });
  t.equal(paths.find(here, 605_000), undefined);
});

t.test('of very many the oldest are forgotten', async (t) => {
  const paths = new PathMtus();
  for (let host = 0; host <= 1024; host++) paths.learn(IpAddress.fromIpv4(host), 1400, host);
  t.equal(paths.find(IpAddress.fromIpv4(0), 2000), undefined);
  t.same(paths.find(IpAddress.fromIpv4(1), 2000), { mtu: 1400, toldAt: 1 });
  t.same(paths.find(IpAddress.fromIpv4(1024), 2000), { mtu: 1400, toldAt: 1024 });
});
