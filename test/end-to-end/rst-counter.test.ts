import '../namespace.ts';
import t from 'tap';
import { dial } from './peer.ts';
import { countRsts, rsts } from './rst-counter.ts';

t.test('counts the RST that a closed port answers with', async (t) => {
  countRsts();
  t.same(rsts(), { received: 0, sent: 0 });
  // RFC 9293, section 3.10.7.1: a SYN to a port in CLOSED is answered with RST. On lo it is both sent and received.
  await t.rejects(dial('127.0.0.1', 9), { code: 'ECONNREFUSED' });
  t.same(rsts(), { received: 1, sent: 1 });
});
