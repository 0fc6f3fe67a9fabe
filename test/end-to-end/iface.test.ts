import '../namespace.ts';
import t from 'tap';
import { Daemon, IPV6 } from './daemon.ts';
import { established } from './established.ts';

t.test('the interface and the journal, told by the tree', async (t) => {
  const daemon = await Daemon.start(t, '--mtu', '1400', ...IPV6);
  await established(t, daemon, 'chat', 9000);
  t.equal(await daemon.read('iface/address'), '10.7.0.2/24\nfd00:7::2/64');
  t.equal(await daemon.read('iface/mtu'), '1400');
  const { stdout, stderr } = await daemon.run(`
    awk '$2 > 0 { print $1 }' net/iface/counters
    awk '$1 == "store_bytes" { print ($2 > 4096) }' net/persist/status
    awk '$1 == "durability" || $1 == "disk" { print $2 }' net/persist/status
    find net/iface net/persist -type f | wc -l
  `);
  t.equal(stderr, '');
  t.equal(
    stdout,
    'received_packets\nreceived_bytes\nsent_packets\nsent_bytes\n1\nprocess\nample\n4\n',
  );
});
