import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The moments at which a death is most telling. Tests die at each of them on purpose. */
export type CrashPoint =
  | 'read-request'
  | 'before-commit'
  | 'after-commit'
  | 'between-outputs'
  | 'after-outputs'
  | 'just-restarted'
  | 'asked-again'
  | 'amid-redelivery'
  | 'first-turn'
  | 'freezing'
  | 'frozen'
  | 'restored'
  | 'about-to-serve'
  // In the commands `export` and `import`.
  | 'before-export'
  | 'after-export'
  | 'before-file'
  | 'after-file'
  | 'before-import'
  | 'amid-import'
  | 'after-import';

const directory = process.env['HOLDFAST_CRASH_DIRECTORY'];

/**
 * Kills this process with SIGKILL if a test has put a file named `point` into the directory that
 * HOLDFAST_CRASH_DIRECTORY names, and this is the pass that its number says, counting from 1. The file goes first, so one file is
 * one death.
 */
export const crashPoint: (point: CrashPoint) => void =
  directory === undefined
    ? () => {}
    : (point) => {
        const armed = join(directory, point);
        if (!existsSync(armed)) return;
        const pass = Number(readFileSync(armed));
        if (pass > 1) {
          writeFileSync(armed, `${pass - 1}`);
          return;
        }
        unlinkSync(armed);
        process.kill(process.pid, 'SIGKILL');
      };
