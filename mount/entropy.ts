import { randomFillSync } from 'node:crypto';

/** Numbers that nobody has had yet: those before `left`. To ask for each by itself costs 5 us, and a restore wants one for each connection. */
const numbers = new Uint32Array(1024);
let left = 0;

/** A random u32 that nobody can guess. */
export function entropy(): number {
  if (left === 0) {
    randomFillSync(numbers);
    left = numbers.length;
  }
  left -= 1;
  return numbers[left]!;
}
