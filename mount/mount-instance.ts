import { randomInt } from 'node:crypto';

/** Exact as a JSON number and as a 64-bit field. */
const INSTANCES = 2 ** 48 - 1;

/** A number that tells a mount from every other. */
export function newInstance(): number {
  return randomInt(1, INSTANCES);
}
