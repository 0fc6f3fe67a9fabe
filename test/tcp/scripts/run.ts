import { readScripts } from './files.ts';
import { Runner } from './runner.ts';

// `npx tsx test/tcp/scripts/run.ts [PART OF A PATH]... [--pending]`: the scripts without the test harness.
const parts = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const withPending = process.argv.includes('--pending');
let failed = 0;
let ran = 0;
let pending = 0;
for (const script of readScripts()) {
  if (parts.length > 0 && !parts.some((part) => script.path.includes(part))) continue;
  if (script.pending !== undefined && !withPending) {
    pending++;
    continue;
  }
  ran++;
  try {
    new Runner(script).run();
  } catch (error) {
    failed++;
    process.stdout.write(`${(error as Error).message}\n\n`);
  }
}
process.stdout.write(`${ran} ran, ${failed} failed, ${pending} pending\n`);
process.exitCode = failed === 0 ? 0 : 1;
