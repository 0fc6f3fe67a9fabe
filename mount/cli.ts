#!/usr/bin/env node
import { HostError } from './host-error.ts';
import { mountCommand } from './mount-command.ts';
import { statusCommand } from './status-command.ts';
import { umountCommand } from './umount-command.ts';
import { USAGE, UsageError } from './usage.ts';
import { VERSION } from './version.ts';

/** EX_USAGE of sysexits.h, for a command line that makes no sense. */
const EXIT_USAGE = 64;

const [command, ...rest] = process.argv.slice(2);

try {
  switch (command) {
    case 'mount':
      await mountCommand(rest);
      break;
    case 'umount':
      await umountCommand(rest);
      break;
    case 'status':
      await statusCommand(rest);
      break;
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(USAGE);
      break;
    case '--version':
      process.stdout.write(`holdfast ${VERSION}\n`);
      break;
    case undefined:
      throw new UsageError('a command is needed: mount, umount or status');
    default:
      throw new UsageError(`there is no command ${command}`);
  }
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`holdfast: ${error.message}; see holdfast --help\n`);
    process.exit(EXIT_USAGE);
  }
  if (error instanceof HostError) {
    process.stderr.write(`holdfast: ${error.message}\n`);
    process.exit(1);
  }
  throw error;
}
