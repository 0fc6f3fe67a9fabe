import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { cutPower } from './power-cuts.ts';

const USAGE = `npm run power-cuts -- [--images N] [--durability process|power] [--seed S]

  --images N      how many disks after a power cut; 1000
  --durability D  what the connections are to outlive: process, or power, which is some of them or all
  --seed S        where the choices come from; random. What two threads do at once is not chosen
`;

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1000' },
    durability: { type: 'string', default: 'power' },
    seed: { type: 'string', default: `${randomInt(2 ** 31)}` },
    help: { type: 'boolean' },
  },
});
const { images, durability, seed } = values;

if (values.help || (durability !== 'process' && durability !== 'power')) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 1);
}
const { failures, counts } = await cutPower(Number(images), durability, Number(seed));
for (const [what, count] of [...counts].sort()) process.stdout.write(`${count}\t${what}\n`);
for (const failure of failures) process.stdout.write(`${failure}\n`);
process.stdout.write(`seed ${seed}: ${failures.length} of ${images} images failed\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
