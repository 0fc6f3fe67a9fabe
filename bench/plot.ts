import type { Section } from './report.ts';
import { digits } from './summary.ts';
import { svgText } from './svg.ts';

const WIDTH = 900;
const LABELS = 260;
const VALUES = 130;
const BAR = 16;
const TITLE = 34;
const COLORS = ['#8a8a8a', '#c2c2c2', '#1f6f8b', '#e07a3f', '#5f9e4d', '#8e5ea2', '#b8a13a'];

/** The medians as bars, with lines from the least to the most. */
export function plot(sections: readonly Section[], caption: string): string {
  const parts: string[] = [];
  let y = TITLE;
  parts.push(svgText(10, 20, caption, 'font-size="12" fill="#555"'));
  for (const { metric, rows } of sections) {
    const most = Math.max(...rows.map(({ summary }) => summary.most));
    const scale = (value: number) => (value / most) * (WIDTH - LABELS - VALUES);
    const better = metric.isLessBetter ? 'less is better' : 'more is better';
    parts.push(
      svgText(10, y + 14, `${metric.title}, ${metric.unit} (${better})`, 'font-weight="bold"'),
    );
    y += 22;
    for (const [i, { contender, summary }] of rows.entries()) {
      const middle = y + BAR / 2;
      const [from, to] = [LABELS + scale(summary.least), LABELS + scale(summary.most)];
      parts.push(
        svgText(LABELS - 8, y + 12, contender, 'text-anchor="end"'),
        `<rect x="${LABELS}" y="${y + 2}" width="${scale(summary.median).toFixed(1)}" height="${BAR - 4}" fill="${COLORS[i % COLORS.length]}"/>`,
        `<path d="M${from.toFixed(1)} ${middle}H${to.toFixed(1)}" stroke="#222"/>`,
        svgText(WIDTH - VALUES + 16, y + 12, digits(summary.median)),
      );
      y += BAR;
    }
    y += 12;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="12">`,
    '<title>Our tree and the kernel</title>',
    `<rect width="${WIDTH}" height="${y}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
