import t from 'tap';
import { findUpperLayer } from '../../tcp/wire/upper-layer.ts';
import { type Extension, fragmentHeader, NEXT_HEADER, padding, writeIpv6 } from './ipv6-packet.ts';
import { kernelPacket, viewOf } from './kernel-packets.ts';

const { hopByHop, destination, udp } = NEXT_HEADER;

t.test('behind the options of IPv4, and in no fragment but the first', async (t) => {
  const packet = kernelPacket('udp');
  const find = () => findUpperLayer(viewOf(packet), 0, packet.length);
  t.same(find(), { protocol: udp, at: 20 });
  packet[0] = 0x46;
  t.same(find(), { protocol: udp, at: 24 });
  packet[6] = 0x20;
  t.same(find(), { protocol: udp, at: 24 });
  packet[7] = 1;
  t.equal(find(), undefined);
});

t.test('behind the extension headers of IPv6, and in no fragment but the first', async (t) => {
  const find = (extensions: Extension[], cut = 0) => {
    const payload = new Uint8Array(8);
    const addresses = { source: 'fd00:7::1', destination: 'fd00:7::2' };
    const packet = writeIpv6({ ...addresses, extensions, protocol: udp, payload });
    return findUpperLayer(viewOf(packet), 0, packet.length - cut);
  };
  t.same(find([]), { protocol: udp, at: 40 });
  const first = [padding(hopByHop), fragmentHeader(0, true, 1), padding(destination)];
  t.same(find(first), { protocol: udp, at: 64 });
  t.same(find(first, 8), { protocol: udp, at: 64 }, 'it is not there itself');
  t.equal(find(first, 9), undefined, 'the last extension is cut');
  t.equal(find([fragmentHeader(8, true, 1)]), undefined);
});
