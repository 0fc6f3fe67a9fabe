import { StandIn } from '../../tcp/stand-in/stand-in.ts';
import { Station } from '../../tcp/stand-in/station.ts';
import { ACK } from '../../tcp/wire/tcp.ts';
import { fromPeer } from '../tcp/forge.ts';
import {
  BROADCAST,
  linkNumber,
  readArp,
  readFrame,
  readNeighborMessage,
  TYPE,
  writeArp,
  writeFrame,
  writeNeighborMessage,
} from '../tcp/frames.ts';
import { ADDRESS, ADDRESS6, Capture, WirePair } from '../tcp/wire-pair.ts';
import { Choices } from './input.ts';
import { Finding } from './invariants.ts';

const STEPS = 20;
const OWN = '02:00:00:00:00:02';
const LINKS = [OWN, '0e:00:00:00:00:01', BROADCAST, '33:33:ff:00:00:02', '00:00:00:00:00:00'];
const IPV4 = [ADDRESS.a, ADDRESS.b, '0.0.0.0', '255.255.255.255'];
const IPV6 = [ADDRESS6.a, ADDRESS6.b, '::', 'ff02::1', 'ff02::1:ff00:2'];
const ALL_NODES_LINK = '33:33:00:00:00:01';

/** A connection whose engine is gone. */
const wire = new WirePair(1);
const { b: pcb } = wire.establish();
wire.b.turn();
const record = pcb.record.slice();
const probe = fromPeer(pcb, { SEG_SEQ: pcb.RCV_NXT - 1, SEG_ACK: pcb.SND_NXT, flags: ACK });

function check(condition: boolean, what: string): void {
  if (!condition) throw new Finding(what);
}

/**
 * Frames to a stand-in on Ethernet.
 * @returns how many inputs that were
 */
export function fuzzLink(bytes: Uint8Array): number {
  const choices = new Choices(bytes);
  let { now } = wire;
  const addresses = { address: ADDRESS.b, address6: ADDRESS6.b };
  const said: Uint8Array[] = [];
  const egress = new Capture((frame) => said.push(frame));
  const standIn = new StandIn({
    ...{ ...addresses, prefix: 24, mtu: 1500, now, entropy: () => 1, onShut: () => {} },
  });
  standIn.restore(record.slice());
  const station = new Station({ ...addresses, linkAddress: linkNumber(OWN), now }, standIn);
  for (let step = 0; step < STEPS; step++) {
    now += choices.below(300);
    const frame = makeFrame(choices);
    station.arrive(frame, 0, frame.length, now, egress);
    const answers = said.splice(0);
    check(answers.length <= 1, 'one frame is answered by one at the most');
    for (const answer of answers) checkAnswer(answer, frame);
  }
  return STEPS;
}

function checkAnswer(answer: Uint8Array, question: Uint8Array): void {
  const { destination, source, type, payload } = readFrame(answer);
  const asked = readFrame(question);
  check(source === OWN, 'a frame comes from its station');
  check(asked.source !== OWN, 'nobody answers itself');
  const isToAll = destination === ALL_NODES_LINK;
  check(isToAll || destination === asked.source, 'who asked is answered');
  check((linkNumber(asked.source) / 2 ** 40) % 2 < 1, 'one station is answered');
  if (type === TYPE.arp) {
    const { operation, senderLink, sender } = readArp(payload);
    check(payload.length === 28 && operation === 2, 'a question by ARP has a reply');
    check(senderLink === OWN && sender === ADDRESS.b, 'where we are, and nothing else, is told');
    check(readArp(asked.payload).target === ADDRESS.b, 'for us was asked');
  } else if (type === TYPE.ipv6 && payload[6] === 58 && payload[40] === 136) {
    const { hopLimit, options, destination } = readNeighborMessage(payload);
    check(hopLimit === 255 && options === '0201020000000002', 'where we are is told');
    check(isToAll === (destination === `ff02${'0'.repeat(27)}1`), 'the groups are the same');
  } else {
    check(type === asked.type && asked.destination === OWN, 'a packet to us is answered');
  }
}

/** A frame with the structure of one, and some of it wrong. */
function makeFrame(choices: Choices): Uint8Array {
  const type = choices.chance(240) ? choices.pick(Object.values(TYPE)) : choices.below(65536);
  const payload = makePayload(choices, type);
  for (let changes = choices.pick([0, 0, 0, 1, 3]); changes > 0 && payload.length > 0; changes--) {
    payload[choices.below(payload.length)]! ^= 1 << choices.below(8);
  }
  const frame = writeFrame({
    ...{ destination: choices.pick(LINKS), source: choices.pick(LINKS), type, payload },
  });
  return choices.chance(30) ? frame.slice(0, choices.below(frame.length + 1)) : frame;
}

function makePayload(choices: Choices, type: number): Uint8Array {
  const random = (most: number) =>
    Uint8Array.from({ length: choices.below(most) }, () => choices.byte());
  if (choices.chance(20)) return random(100);
  switch (type) {
    case TYPE.arp:
      return writeArp({
        operation: choices.pick([1, 1, 1, 2, 3]),
        ...{ senderLink: choices.pick(LINKS), sender: choices.pick(IPV4) },
        ...{ targetLink: choices.pick(LINKS), target: choices.pick([ADDRESS.b, ...IPV4]) },
      });
    case TYPE.ipv6:
      return writeNeighborMessage({
        ...{ source: choices.pick(IPV6), destination: choices.pick(IPV6) },
        hopLimit: choices.pick([255, 255, 255, 64]),
        type: choices.pick([135, 135, 135, 136, 128]),
        ...{ code: choices.pick([0, 0, 0, 1]), flags: choices.u32() },
        target: choices.pick([ADDRESS6.b, ...IPV6]),
        options: choices.chance(128)
          ? Uint8Array.of(1, choices.pick([1, 1, 0, 2]), 0x0e, 0, 0, 0, 0, 1)
          : random(20),
      });
    default:
      return probe.slice();
  }
}
