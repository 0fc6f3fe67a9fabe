import type { Profiler } from 'node:inspector';
import { escaped, svgText } from './svg.ts';

const WIDTH = 1200;
const ROW = 17;
const MARGIN = 30;
/** Narrower than this nothing is drawn, in pixels. */
const NARROW = 1;
const LETTER = 6.5;

/** By the room that a function is of; what is in none is Node's, V8's or a package's. */
const COLORS: Readonly<Record<string, string>> = {
  tcp: '#8fbcd4',
  persist: '#e9b48a',
  fs: '#a9cf9b',
  mount: '#cbb2d8',
};
const OTHER = '#d5d5d5';

/** Functions called by the same callers are one. */
interface Frame {
  readonly name: string;
  readonly room: string;
  /** With all that it called, microseconds. */
  time: number;
  readonly callees: Map<string, Frame>;
}

/**
 * Draws where an engine spent its time (B. Gregg, _The Flame Graph_, 2016): callers are below, width is time on a processor.
 * @param sourceOf the text of a program; the names of its modules are comments in it, as esbuild writes them
 */
export function flameGraph(profile: Profiler.Profile, sourceOf: (url: string) => string): string {
  const root = framesOf(profile, sourceOf);
  const parts: string[] = [];
  const depth = draw(root, 0, 0, WIDTH / root.time, parts);
  const height = MARGIN + depth * ROW + ROW;
  const legend = [...Object.entries(COLORS), ['Node, V8, packages', OTHER]];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">`,
    '<title>Where an engine spends its time</title>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...legend.flatMap(([room, color], i) => [
      `<rect x="${10 + 90 * i}" y="8" width="12" height="12" fill="${color}"/>`,
      svgText(26 + 90 * i, 18, room!),
    ]),
    `<g transform="translate(0 ${height - ROW})">`,
    ...parts,
    '</g>',
    '</svg>\n',
  ].join('\n');
}

/** @returns how many rows that takes */
function draw(frame: Frame, x: number, level: number, scale: number, parts: string[]): number {
  const width = frame.time * scale;
  const label = frame.room === '' ? frame.name : `${frame.room} ${frame.name}`;
  const y = -level * ROW;
  const shown = label.slice(0, Math.floor(width / LETTER));
  parts.push(
    `<g><title>${escaped(label)} ${((100 * width) / WIDTH).toFixed(1)} %</title>`,
    `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${COLORS[frame.room.split('/')[0]!] ?? OTHER}"/>`,
    ...(shown.length > 2 ? [svgText(Math.round(x) + 2, y + 12, shown)] : []),
    '</g>',
  );
  let depth = level + 1;
  let at = x;
  for (const callee of [...frame.callees.values()].sort((a, b) => b.time - a.time)) {
    if (callee.time * scale < NARROW) break;
    depth = Math.max(depth, draw(callee, at, level + 1, scale, parts));
    at += callee.time * scale;
  }
  return depth;
}

function framesOf(profile: Profiler.Profile, sourceOf: (url: string) => string): Frame {
  const { nodes, samples = [], timeDeltas = [] } = profile;
  const nodeOf = new Map(nodes.map((node) => [node.id, node]));
  const callerOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((c) => [c, id])));
  const modules = new Map<string, readonly string[]>();
  const root = frame('engine', '');
  for (const [index, id] of samples.entries()) {
    const time = timeDeltas[index]!;
    if (nodeOf.get(id)!.callFrame.functionName === '(idle)') continue;
    const stack: Profiler.ProfileNode[] = [];
    for (let at: number | undefined = id; at !== undefined; at = callerOf.get(at)) {
      stack.push(nodeOf.get(at)!);
    }
    root.time += time;
    let caller = root;
    // The outermost is the root of V8's own.
    for (const { callFrame } of stack.reverse().slice(1)) {
      const { functionName, url, lineNumber } = callFrame;
      const name = functionName === '' ? '(anonymous)' : functionName;
      const key = `${name} ${url}:${lineNumber}`;
      let callee = caller.callees.get(key);
      if (callee === undefined) {
        callee = frame(name, moduleAt(url, lineNumber));
        caller.callees.set(key, callee);
      }
      callee.time += time;
      caller = callee;
    }
  }
  return root;

  function moduleAt(url: string, line: number): string {
    if (!url.endsWith('-main.js')) return '';
    let lines = modules.get(url);
    if (lines === undefined) {
      let current = '';
      lines = sourceOf(url)
        .split('\n')
        .map((text) => {
          current = /^\/\/ (\S+)\.ts$/.exec(text)?.[1] ?? current;
          return current;
        });
      modules.set(url, lines);
    }
    return lines[line] ?? '';
  }
}

function frame(name: string, room: string): Frame {
  return { name, room, time: 0, callees: new Map() };
}
