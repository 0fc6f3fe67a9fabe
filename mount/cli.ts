#!/usr/bin/env node
import { checkCommand } from './check-command.ts';
import { HostError } from './host-error.ts';
import { mountCommand } from './mount-command.ts';
import { statusCommand } from './status-command.ts';
import { umountCommand } from './umount-command.ts';
import { upgradeCommand } from './upgrade-command.ts';
import { USAGE, UsageError } from './usage.ts';
import { VERSION } from './version.ts';
import { waitCommand } from './wait-command.ts';

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
    case 'upgrade':
      await upgradeCommand(rest);
      break;
    case 'check':
      checkCommand(rest);
      break;
    case 'wait':
      await waitCommand(rest);
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
      throw new UsageError('a command is needed: mount, umount, status, upgrade, check or wait');
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
