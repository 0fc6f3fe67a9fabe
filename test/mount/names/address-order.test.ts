import t from 'tap';
import { inOrder } from '../../../mount/names/address-order.ts';

const ADDRESSES = ['192.0.2.1', '2001:db8::1', 'fd00:9::1', '192.0.2.2'];

t.test('what cannot be reached comes last', async (t) => {
  t.same(inOrder(ADDRESSES, undefined), ['192.0.2.1', '192.0.2.2', '2001:db8::1', 'fd00:9::1']);
});

t.test('from a global address: IPv6 first, but not to a local network', async (t) => {
  t.same(inOrder(ADDRESSES, '2001:db8:7::2'), [
    '2001:db8::1',
    '192.0.2.1',
    '192.0.2.2',
    'fd00:9::1',
  ]);
});

t.test('from a local network: IPv6 only to such', async (t) => {
  const expected = ['192.0.2.1', '192.0.2.2', 'fd00:9::1', '2001:db8::1'];
  t.same(inOrder(ADDRESSES, 'fd00:7::2'), expected);
});
