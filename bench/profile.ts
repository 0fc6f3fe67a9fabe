import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

/**
 * Preloaded into an engine (node --import): writes a profile for Chrome's developer tools to the directory that HOLDFAST_PROFILE names, when
 * the engine ends.
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
      writeFileSync(
        join(directory, `engine-${process.pid}.cpuprofile`),
        JSON.stringify(result.profile),
      );
    });
  });
}
