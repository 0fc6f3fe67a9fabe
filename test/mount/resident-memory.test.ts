import { readFileSync } from 'node:fs';
import t from 'tap';
import { allocateResidentMemory } from '../../mount/resident-memory.ts';

t.test('its pages are there before they are used', async (t) => {
  const length = 3 * 1024 * 1024 + 1;
  const { bytes, view, address } = allocateResidentMemory(length);
  t.ok(bytes.length >= length);
  // /proc/PID/smaps, proc_pid_smaps(5): the mapping that begins no later than the address, and its Rss in KiB.
  const mappings = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const mapping = mappings.find((text) => {
    const [start, end] = text
      .split(' ')[0]!
      .split('-')
      .map((hex) => Number.parseInt(hex, 16));
    return start! <= address && address < end!;
  });
  const field = (name: string): number =>
    Number(mapping!.match(new RegExp(`^${name}: +(\\d+) kB`, 'm'))![1]);
  t.equal(field('Rss'), field('Size'));
  view.setUint32(8, 0x01020304, true);
  t.same([...bytes.subarray(8, 12)], [4, 3, 2, 1]);
});
