import { pino } from 'pino';
import type { Config } from './config.ts';

/**
 * The daemon's log. Synchronous: the last line before a death is the one that matters.
 * @param follow is given each line, too, without its newline
 */
export function openLog(
  config: Config,
  process: 'keeper' | 'engine' | 'stand-in',
  follow: (line: string) => void = () => {},
): pino.Logger {
  const destination = pino.destination({ dest: config.logFile ?? 2, sync: true });
  // The terminal may be gone long before the daemon is; that is no reason to end.
  destination.on('error', () => {});
  const stream = {
    write: (line: string) => {
      destination.write(line);
      follow(line.trimEnd());
    },
  };
  return pino({ level: config.logLevel, base: { process } }, stream);
}
