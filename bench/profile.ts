import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { flameGraph } from './flame-graph.ts';

/**
 * Preloaded into an engine (node --import): when the engine ends, writes a profile for Chrome's developer tools, and the same as a drawing, to the
 * directory that HOLDFAST_PROFILE names.
 */
const directory = process.env['HOLDFAST_PROFILE'];

if (directory !== undefined && process.argv[1]?.endsWith('engine-main.js')) {
  mkdirSync(directory, { recursive: true });
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.start');
  process.on('exit', () => {
    session.post('Profiler.stop', (error, result) => {
      if (error !== null) return;
      const path = join(directory, `engine-${process.pid}`);
      writeFileSync(`${path}.cpuprofile`, JSON.stringify(result.profile));
      const sourceOf = (url: string) => readFileSync(new URL(url), 'utf8');
      writeFileSync(`${path}.svg`, flameGraph(result.profile, sourceOf));
    });
  });
}
