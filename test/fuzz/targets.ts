import { fuzzLink } from './link.ts';
import { fuzzParsers } from './parsers.ts';
import { fuzzUdp } from './udp.ts';
import { fuzzWholeStack } from './whole-stack.ts';

/** What can be fuzzed: each takes any bytes, throws a finding, and says how many inputs that were. */
export const TARGETS: Readonly<Record<string, (bytes: Uint8Array) => number>> = {
  link: fuzzLink,
  parsers: fuzzParsers,
  udp: fuzzUdp,
  'whole-stack': fuzzWholeStack,
};
