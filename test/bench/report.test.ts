import t from 'tap';
import { plot } from '../../bench/plot.ts';
import { formatReport, sectionsOf } from '../../bench/report.ts';
import type { Sample } from '../../bench/sample.ts';

/** One run of `gigabits` in a second. */
function sample(contender: string, gigabits: number, near = 0.5): Sample {
  const bytes = gigabits * 1.25e8;
  return {
    contender,
    workload: 'out',
    run: { seconds: 1, bytes, exchanges: 0, p50: 0, p99: 0, cpu: 0, switches: 0 },
    cpu: 2,
    switches: 100,
    busy: { near, far: 0.1, engine: 0.2 },
    stored: bytes * 1.5,
    commits: 40,
  };
}

const SAMPLES = [
  ...[8, 9, 30].map((gigabits) => sample('kernel', gigabits)),
  ...[4, 2, 4.5].map((gigabits) => sample('a & b', gigabits, 0.95)),
];

t.test('medians, their ratio, and who was busy', async (t) => {
  const sections = sectionsOf(SAMPLES, 'kernel');
  t.equal(sections.length, 1, 'what was not measured is not there');
  const [kernel, other] = sections[0]!.rows;
  t.strictSame(kernel!.summary, { median: 9, least: 8, most: 30 });
  t.equal(kernel!.ratio, 1);
  t.equal(kernel!.limit, '');
  t.strictSame(other!.summary, { median: 4, least: 2, most: 4.5 });
  t.equal(other!.ratio, 4 / 9);
  t.equal(other!.limit, 'near load');
  t.equal(other!.stored, 1.5);
  t.equal(other!.cpu, 4, 'seconds for each GB');
  t.match(formatReport(sections), /^a & b +4\.00 +2\.00 +4\.50 +0\.44 /m);
});

t.test('the plot has a bar for each', async (t) => {
  const svg = plot(sectionsOf(SAMPLES, 'kernel'), 'about <it>');
  t.equal(svg.match(/<path/g)!.length, 2);
  t.match(svg, 'a &amp; b');
  t.match(svg, 'about &lt;it>');
});
