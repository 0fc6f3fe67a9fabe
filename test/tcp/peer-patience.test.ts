import t from 'tap';
import { peerPatience } from '../../tcp/peer-patience.ts';
import { WirePair } from './wire-pair.ts';

t.test('the peer is expected to wait as long as a Linux in its state does', async (t) => {
  const wire = new WirePair(1);
  const listener = wire.b.listen(80);
  const a = wire.a.connect(80);
  t.equal(peerPatience(listener), undefined);
  t.equal(peerPatience(a), 63_000, 'SYN-SENT: tcp_synack_retries');
  wire.until(() => wire.b.stack.acceptable(listener), 'established');
  const b = wire.b.stack.accept(listener)!;
  t.equal(peerPatience(a), 924_600, 'ESTABLISHED: tcp_retries2');
  a.REMOTE_UTO = 200_000;
  t.equal(peerPatience(a), 200_000, 'what the peer has told');
  wire.a.shutdown(a);
  wire.until(() => b.state === 'CLOSE-WAIT', 'FIN');
  t.equal(peerPatience(b), 60_000, 'CLOSE-WAIT: tcp_fin_timeout');
  wire.b.close(b);
  wire.until(() => a.state === 'TIME-WAIT', 'TIME-WAIT');
  t.equal(peerPatience(a), undefined);
});
