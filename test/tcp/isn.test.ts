import { randomBytes } from 'node:crypto';
import t from 'tap';
import { IpAddress } from '../../tcp/address.ts';
import { initialSequenceNumber } from '../../tcp/isn.ts';
import { seqSub } from '../../tcp/sequence.ts';

const secret = randomBytes(32);
const local = IpAddress.fromIpv4(0x0a070002);
const remote = IpAddress.fromIpv4(0x0a070001);
const isn = (now: number) => initialSequenceNumber(secret, local, 80, remote, 9000, now);

t.test(
  'for one connection it rises by one every 4 microseconds (RFC 9293 section 3.4.1)',
  async (t) => {
    t.equal(isn(1000), isn(1000), 'the same for the same time');
    t.equal(seqSub(isn(1000.004), isn(1000)), 1);
    t.equal(seqSub(isn(1001), isn(1000)), 250);
    t.equal(seqSub(isn(61_000), isn(1000)), 60_000 * 250);
  },
);

t.test('it goes around after 2**32 ticks, also late in the life of a clock', async (t) => {
  // 125 turns of the circle are a whole number of milliseconds.
  const turns = (125 * 2 ** 32) / 250;
  const late = 1000 * turns;
  t.equal(isn(late), isn(late + turns));
  t.equal(seqSub(isn(late + 1), isn(late)), 250);
});

t.test('each part of the connection, and the secret, give it another place', async (t) => {
  const other = IpAddress.fromIpv4(0x0a070003);
  const numbers = new Set([
    isn(0),
    initialSequenceNumber(randomBytes(32), local, 80, remote, 9000, 0),
    initialSequenceNumber(secret, other, 80, remote, 9000, 0),
    initialSequenceNumber(secret, local, 81, remote, 9000, 0),
    initialSequenceNumber(secret, local, 80, other, 9000, 0),
    initialSequenceNumber(secret, local, 80, remote, 9001, 0),
    initialSequenceNumber(secret, remote, 9000, local, 80, 0),
    initialSequenceNumber(secret, new IpAddress(0, 0, 0, 0x0a070002), 80, remote, 9000, 0),
  ]);
  t.equal(numbers.size, 8);
});
