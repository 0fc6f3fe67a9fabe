import { fragmentHeader, NEXT_HEADER, writeIpv6 } from '../tcp/ipv6-packet.ts';
import { cut } from '../tcp/scripts/fragments.ts';
import type { Choices } from './input.ts';

/** A part of a payload: [left, right). */
interface Range {
  readonly left: number;
  readonly right: number;
}

/** Parts of a payload of `length` bytes that mostly make up the whole, in some order, and sometimes overlap, repeat or miss something. */
function ranges(choices: Choices, length: number): Range[] {
  const all: Range[] = [];
  for (let left = 0; left < length; ) {
    const size = 8 * (1 + choices.pick([0, 1, 2, 7, 60, choices.below(150)]));
    all.push({ left, right: Math.min(length, left + size) });
    left += size;
  }
  for (let changes = choices.pick([0, 0, 1, 2, 4]); changes > 0 && all.length > 0; changes--) {
    const at = choices.below(all.length);
    const one = all[at]!;
    switch (choices.below(4)) {
      case 0:
        all.splice(at, 1);
        break;
      case 1:
        all.push(one);
        break;
      case 2:
        all.push({ left: Math.max(0, one.left - 8 * choices.below(4)), right: one.right });
        break;
      case 3: {
        const other = choices.below(all.length);
        [all[at], all[other]] = [all[other]!, one];
        break;
      }
    }
  }
  return choices.chance(64) ? all.reverse() : all;
}

/** The fragments of a packet of either version, as a bad path or a bad peer would have them; what is none of these stays whole. */
export function fragmentsOf(choices: Choices, packet: Uint8Array): Uint8Array[] {
  if (packet.length < 40) return [packet];
  if (packet[0]! >>> 4 === 6) return fragments6(choices, packet);
  return packet[0]! >= 0x45 && packet[0]! <= 0x4a ? fragments4(choices, packet) : [packet];
}

function fragments4(choices: Choices, packet: Uint8Array): Uint8Array[] {
  const length = packet.length - (packet[0]! & 15) * 4;
  const parts = ranges(choices, length).map(({ left, right }) => ({
    left,
    right: right === length && !choices.chance(10) ? undefined : right,
  }));
  return cut(packet, parts);
}

function fragments6(choices: Choices, packet: Uint8Array): Uint8Array[] {
  const payload = packet.subarray(40);
  const protocol = packet[6]!;
  const identification = choices.below(4);
  return ranges(choices, payload.length).map(({ left, right }) => {
    const isMore = right < payload.length || choices.chance(10);
    const header = fragmentHeader(left, isMore, identification);
    const isNested = choices.chance(4);
    const bytes = writeIpv6({
      source: '::1',
      destination: '::1',
      extensions: isNested ? [header, fragmentHeader(0, choices.chance(128), 1)] : [header],
      protocol: choices.chance(4) ? choices.pick(Object.values(NEXT_HEADER)) : protocol,
      payload: payload.subarray(left, right),
    });
    bytes.set(packet.subarray(8, 40), 8);
    return bytes;
  });
}
