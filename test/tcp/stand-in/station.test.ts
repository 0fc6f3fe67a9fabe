import t from 'tap';
import type { Pcb } from '../../../tcp/pcb.ts';
import { StandIn } from '../../../tcp/stand-in/stand-in.ts';
import { Station } from '../../../tcp/stand-in/station.ts';
import { randomLinkAddress } from '../../../tcp/wire/ethernet.ts';
import { ACK } from '../../../tcp/wire/tcp.ts';
import { fromPeer, packet } from '../forge.ts';
import {
  type Arp,
  BROADCAST,
  linkNumber,
  type NeighborMessage,
  readArp,
  readFrame,
  readNeighborMessage,
  TYPE,
  writeArp,
  writeFrame,
  writeNeighborMessage,
} from '../frames.ts';
import { addressBytes6 } from '../ipv6-packet.ts';
import { ADDRESS, ADDRESS6, Capture, segmentIn, WirePair } from '../wire-pair.ts';

const OWN = '02:00:00:00:00:02';
const PEER = '0e:00:00:00:00:01';
const ROUTER = '0e:00:00:00:00:99';
const NOBODY = '00:00:00:00:00:00';
const GROUP = 'ff02::1:ff00:2';
const GROUP_LINK = '33:33:ff:00:00:02';
const ALL_NODES_LINK = '33:33:00:00:00:01';

const hex = (address: string) => Buffer.from(addressBytes6(address)).toString('hex');

/** Station B, whose engine is gone, on Ethernet. */
class OnEthernet {
  now: number;
  readonly #said: Uint8Array[] = [];
  readonly egress = new Capture((bytes) => this.#said.push(bytes));
  readonly station: Station;

  constructor(pcb?: Pcb, now = 1000, address6: string | null = ADDRESS6.b) {
    this.now = now;
    const addresses = { address: ADDRESS.b, ...(address6 !== null && { address6 }) };
    const standIn = new StandIn({
      ...{ ...addresses, prefix: 24, mtu: 1500, now, entropy: () => 1, onShut: () => {} },
    });
    if (pcb !== undefined) standIn.restore(pcb.record.slice());
    this.station = new Station({ ...addresses, linkAddress: linkNumber(OWN), now }, standIn);
  }

  /** What it says to a frame, half a second later. */
  answers(payload: Uint8Array, type: number, destination = OWN, source = PEER) {
    return this.answersTo(writeFrame({ destination, source, type, payload }));
  }

  answersTo(bytes: Uint8Array) {
    this.now += 500;
    this.station.arrive(bytes, 0, bytes.length, this.now, this.egress);
    return this.said();
  }

  said() {
    return this.#said.splice(0).map(readFrame);
  }
}

const QUESTION: Arp = {
  ...{ operation: 1, senderLink: PEER, sender: ADDRESS.a },
  ...{ targetLink: NOBODY, target: ADDRESS.b },
};
const SOLICITATION: NeighborMessage = {
  ...{ source: ADDRESS6.a, destination: GROUP, hopLimit: 255 },
  ...{ type: 135, code: 0, flags: 0, target: ADDRESS6.b },
  options: Uint8Array.of(1, 1, 0x0e, 0, 0, 0, 0, 1),
};

t.test('who asks by ARP is told', async (t) => {
  const here = new OnEthernet();
  const [answer, ...rest] = here.answers(writeArp(QUESTION), TYPE.arp, BROADCAST);
  t.same(rest, []);
  t.match(answer, { destination: PEER, source: OWN, type: TYPE.arp });
  const told = { operation: 2, senderLink: OWN, sender: ADDRESS.b, target: ADDRESS.a };
  t.same(readArp(answer!.payload), { ...told, targetLink: PEER });
  t.equal(here.answers(writeArp(QUESTION), TYPE.arp).length, 1, 'who asks us alone too');
  const [probe] = here.answers(writeArp({ ...QUESTION, sender: '0.0.0.0' }), TYPE.arp, BROADCAST);
  t.match(readArp(probe!.payload), { operation: 2, target: '0.0.0.0' });
  const padded = Uint8Array.from([...writeArp(QUESTION), ...new Uint8Array(18)]);
  t.equal(here.answers(padded, TYPE.arp, BROADCAST).length, 1, 'padded to 60 bytes');
});

t.test('and nobody else', async (t) => {
  const here = new OnEthernet();
  const silent = (arp: Partial<Arp>, destination = BROADCAST, source = PEER) =>
    t.same(here.answers(writeArp({ ...QUESTION, ...arp }), TYPE.arp, destination, source), []);
  silent({ target: '10.7.0.3' });
  silent({ operation: 2 });
  silent({ operation: 3 });
  silent({ sender: ADDRESS.b }, BROADCAST, ROUTER);
  silent({}, '02:00:00:00:00:03');
  silent({}, ALL_NODES_LINK);
  silent({}, BROADCAST, OWN);
  silent({}, BROADCAST, BROADCAST);
  silent({}, BROADCAST, NOBODY);
  const frame = writeFrame({
    ...{ destination: BROADCAST, source: PEER, type: TYPE.arp },
    payload: writeArp(QUESTION),
  });
  for (let length = 0; length < frame.length; length++) {
    t.same(here.answersTo(frame.slice(0, length)), [], `${length} bytes`);
  }
  for (const at of [14, 15, 16, 17, 18, 19]) {
    const other = frame.slice();
    other[at]! ^= 1;
    t.same(here.answersTo(other), [], 'another kind of address');
  }
  for (let i = 0; i < 500; i++) here.station.arrive(frame, 0, frame.length, here.now, here.egress);
  t.equal(here.said().length, 100, 'not without end');
});

t.test('who asks by neighbour discovery is told', async (t) => {
  const here = new OnEthernet();
  const told = {
    ...{ hopLimit: 255, type: 136, code: 0, source: hex(ADDRESS6.b), target: hex(ADDRESS6.b) },
    options: '0201020000000002',
  };
  for (const [destination, link] of [
    [GROUP, GROUP_LINK],
    [ADDRESS6.b, OWN],
  ] as const) {
    const asked = writeNeighborMessage({ ...SOLICITATION, destination });
    const [answer, ...rest] = here.answers(asked, TYPE.ipv6, link);
    t.same(rest, []);
    t.match(answer, { destination: PEER, source: OWN, type: TYPE.ipv6 });
    const solicited = { ...told, destination: hex(ADDRESS6.a), rest: 0x6000_0000 };
    t.same(readNeighborMessage(answer!.payload), solicited);
  }
  const probe = { ...SOLICITATION, source: '::', options: new Uint8Array(0) };
  const [defence] = here.answers(writeNeighborMessage(probe), TYPE.ipv6, GROUP_LINK);
  t.match(defence, { destination: ALL_NODES_LINK, source: OWN });
  const unsolicited = { ...told, destination: hex('ff02::1'), rest: 0x2000_0000 };
  t.same(readNeighborMessage(defence!.payload), unsolicited);
});

t.test('and what RFC 4861 has discarded is', async (t) => {
  const here = new OnEthernet();
  const silent = (other: Partial<NeighborMessage>, link = GROUP_LINK, source = PEER) =>
    t.same(
      here.answers(writeNeighborMessage({ ...SOLICITATION, ...other }), TYPE.ipv6, link, source),
      [],
    );
  silent({ hopLimit: 254 });
  silent({ code: 1 });
  silent({ type: 136 });
  silent({ target: ADDRESS6.a });
  silent({ target: 'ff02::1' });
  silent({ options: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) });
  silent({ options: Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0) });
  silent({ options: Uint8Array.of(1) });
  silent({ source: '::' });
  silent({ source: '::', options: new Uint8Array(0), destination: ADDRESS6.b }, OWN);
  silent({ source: 'ff02::1' });
  silent({ source: ADDRESS6.b });
  silent({ destination: 'ff02::1' });
  silent({}, BROADCAST);
  silent({}, '33:33:ff:00:00:03');
  silent({}, GROUP_LINK, OWN);
  const good = writeNeighborMessage(SOLICITATION);
  for (let length = 0; length < good.length; length++) {
    t.same(here.answers(good.slice(0, length), TYPE.ipv6, GROUP_LINK), [], `${length} bytes`);
  }
  const wrong = good.slice();
  wrong[42]! ^= 1;
  t.same(here.answers(wrong, TYPE.ipv6, GROUP_LINK), [], 'a wrong checksum');
  const without = new OnEthernet(undefined, 1000, null);
  t.same(without.answers(good, TYPE.ipv6, GROUP_LINK), [], 'without an IPv6 address');
});

t.test('a segment is answered to the station that it came from', async (t) => {
  const wire = new WirePair(1);
  const { b } = wire.establish();
  wire.b.turn();
  const here = new OnEthernet(b, wire.now);
  const probe = fromPeer(b, { SEG_SEQ: b.RCV_NXT - 1, SEG_ACK: b.SND_NXT, flags: ACK });
  for (const source of [PEER, ROUTER]) {
    const [answer, ...rest] = here.answers(probe, TYPE.ipv4, OWN, source);
    t.same(rest, []);
    t.match(answer, { destination: source, source: OWN, type: TYPE.ipv4 });
    const { header, flags } = segmentIn({ from: 'b', at: 0, bytes: answer!.payload });
    t.match({ ...header, flags }, { flags: 'ACK', SEG_ACK: b.RCV_NXT });
  }
  t.same(here.answers(probe, TYPE.ipv4, BROADCAST), [], 'for one address, to all');
  t.same(here.answers(probe, TYPE.ipv4, ROUTER), [], "somebody else's");
  t.same(here.answers(probe, 0x8100), [], 'something unknown');
});

t.test('over IPv6, and an echo', async (t) => {
  const wire = new WirePair(2);
  const { b } = wire.establish(80, ADDRESS6.b);
  wire.b.turn();
  const here = new OnEthernet(b, wire.now);
  const probe = fromPeer(b, { SEG_SEQ: b.RCV_NXT - 1, SEG_ACK: b.SND_NXT, flags: ACK });
  t.match(here.answers(probe, TYPE.ipv6), [{ destination: PEER, source: OWN, type: TYPE.ipv6 }]);
  const echo = packet(ADDRESS.a, ADDRESS.b, 1, Uint8Array.of(8, 0, 0xf7, 0xfe, 0, 1, 0, 0));
  t.match(here.answers(echo, TYPE.ipv4), [{ destination: PEER, type: TYPE.ipv4 }]);
});

t.test('where it is, is announced a few times', async (t) => {
  const here = new OnEthernet();
  const said: [number, string][] = [];
  for (let ticks = 0; here.station.deadline < Infinity; ticks++) {
    t.ok(ticks < 10);
    const { deadline } = here.station;
    here.station.tick(deadline - 1, here.egress);
    t.same(here.said(), [], 'not before it is due');
    here.station.tick(deadline, here.egress);
    for (const { destination, source, type, payload } of here.said()) {
      t.equal(source, OWN);
      if (type === TYPE.arp) {
        t.equal(destination, BROADCAST);
        const link = { senderLink: OWN, targetLink: NOBODY };
        const announced = { operation: 1, sender: ADDRESS.b, target: ADDRESS.b, ...link };
        t.same(readArp(payload), announced);
        said.push([deadline - 1000, 'ARP']);
      } else {
        t.equal(destination, ALL_NODES_LINK);
        t.match(readNeighborMessage(payload), { type: 136, rest: 0x2000_0000 });
        said.push([deadline - 1000, 'ND']);
      }
    }
  }
  t.same(said, [
    [0, 'ARP'],
    [0, 'ND'],
    [1000, 'ND'],
    [2000, 'ARP'],
    [2000, 'ND'],
  ]);
  const without = new OnEthernet(undefined, 1000, null);
  without.station.tick(5000, without.egress);
  t.match(without.said(), [{ type: TYPE.arp }]);
});

t.test('nothing is said where there is no room for it', async (t) => {
  const here = new OnEthernet();
  here.egress.room = 0;
  here.station.tick(here.now, here.egress);
  t.same(here.answers(writeArp(QUESTION), TYPE.arp, BROADCAST), []);
  t.same(here.answers(writeNeighborMessage(SOLICITATION), TYPE.ipv6, GROUP_LINK), []);
});

t.test('an address that nobody has assigned is of one station, and local', async (t) => {
  for (const word of [0, 1, 0xff, 0xffff_ffff]) {
    const address = randomLinkAddress(() => word);
    t.ok(address < 2 ** 48);
    t.equal(Math.floor(address / 2 ** 40) & 3, 2);
  }
});
