import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Journal } from '../../persist/journal.ts';
import { Table } from '../../persist/table.ts';
import { RECORDS } from './committed-records.ts';
import { chooseSeed, Random } from './random.ts';
import { temporaryDirectory } from './temporary-directory.ts';

// Most of it is waiting for the disk, which may be busy with other tests.
t.setTimeout(300_000);

const COMMITTER = fileURLToPath(new URL('./committer.ts', import.meta.url));

/** Lets the committer print `turns` turns, and kills it in the middle of a later one. */
async function commitUntilKilled(directory: string, turns: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', COMMITTER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  let killed = false;
  child.stdout.on('data', (text: Buffer) => {
    printed += text.toString();
    if (killed || printed.split('\n').length <= turns) return;
    killed = true;
    child.kill('SIGKILL');
  });
  await once(child, 'close');
  return Number(printed.trimEnd().split('\n').at(-1));
}

t.test('whoever is killed while committing has lost nothing that was committed', async (t) => {
  const seed = chooseSeed();
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const directory = join(temporaryDirectory(t), 'store');
  for (let kill = 0; kill < 12; kill++) {
    const printed = await commitUntilKilled(directory, 1 + random.below(3000));
    const journal = Journal.open(directory);
    const { turn } = journal.facts;
    t.ok(turn >= printed, `turn ${printed} was printed, turn ${turn} is there`);
    const turns = [...journal.scan(Table.node)].map(({ value }) =>
      Buffer.from(value).readDoubleBE(),
    );
    t.same(turns, new Array(RECORDS).fill(turn), 'a turn is there as a whole');
    await journal.close();
  }
});
