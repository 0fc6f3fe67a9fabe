import { type Extension, fragmentHeader, NEXT_HEADER } from '../tcp/ipv6-packet.ts';
import type { Choices } from './input.ts';

/** Extension headers of IPv6 (RFC 8200 section 4) as somebody might send them: mostly none, some legal, some broken. */
export function extensions(choices: Choices): Extension[] {
  const { hopByHop, destination, routing, none } = NEXT_HEADER;
  const count = choices.pick([0, 0, 0, 0, 0, 0, 1, 1, 2, 5]);
  return Array.from({ length: count }, () => {
    const what = choices.below(16);
    if (what < 4) return { type: hopByHop, rest: options(choices) };
    if (what < 9) return { type: destination, rest: options(choices) };
    if (what < 12) return { type: routing, rest: routingHeader(choices) };
    if (what < 15) {
      const isAtomic = choices.chance(160);
      const offset = isAtomic ? 0 : 8 * choices.below(8192);
      return fragmentHeader(offset, !isAtomic && choices.chance(128), choices.below(4));
    }
    return { type: choices.pick([none, 50, 51, 135, choices.byte()]), rest: options(choices) };
  });
}

/** The length of an options header and its options, without the first octet. */
function options(choices: Choices): Uint8Array {
  const units = choices.pick([0, 0, 0, 1, 2, choices.below(8)]);
  const rest = new Uint8Array(7 + 8 * units);
  rest[0] = choices.chance(16) ? choices.byte() : units;
  for (let at = 1; at < rest.length; ) {
    const type = choices.pick([0, 1, 1, 1, 5, 0xc2, choices.byte()]);
    rest[at++] = type;
    if (type === 0 || at >= rest.length) continue;
    const left = rest.length - at - 1;
    const length = choices.chance(16) ? choices.byte() : Math.min(left, choices.below(16));
    rest[at] = length;
    at += 1 + length;
  }
  return rest;
}

function routingHeader(choices: Choices): Uint8Array {
  const type = choices.pick([0, 2, 3, 4, choices.byte()]);
  const segmentsLeft = choices.pick([0, 0, 0, 1, choices.byte()]);
  return Uint8Array.of(choices.pick([0, 0, 0, 0, choices.byte()]), type, segmentsLeft, 0, 0, 0, 0);
}
