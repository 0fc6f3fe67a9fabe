import { readFileSync } from 'node:fs';

/** Which boot of the host this is (random(4)): 16 bytes. With another one, the page cache is another one too. */
export function readBootId(): Uint8Array {
  const text = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  return Buffer.from(text.trim().replaceAll('-', ''), 'hex');
}
