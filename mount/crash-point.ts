import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The moments at which a death is most telling. Tests die at each of them on purpose. */
export type CrashPoint =
  | 'read-request'
  | 'before-commit'
  | 'after-commit'
  | 'between-outputs'
  | 'just-restarted'
  | 'first-turn';

const directory = process.env['HOLDFAST_CRASH_DIRECTORY'];

/**
 * Kills this process with SIGKILL if a test has put a file named `point` into the directory that
 * HOLDFAST_CRASH_DIRECTORY names. The file goes first, so one file is one death.
 */
export const crashPoint: (point: CrashPoint) => void =
  directory === undefined
    ? () => {}
    : (point) => {
        const armed = join(directory, point);
        if (!existsSync(armed)) return;
        unlinkSync(armed);
        process.kill(process.pid, 'SIGKILL');
      };
