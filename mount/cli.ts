#!/usr/bin/env node
import { HostError } from './host-error.ts';
import { USAGE, UsageError } from './usage.ts';

function help(): void {
  process.stdout.write(USAGE);
}

/** Each loads only what it needs: a script calls `wait` or `status` many times, and most of such a call is loading. */
const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<void> | void>> = {
  mount: async (argv) => (await import('./mount-command.ts')).mountCommand(argv),
  umount: async (argv) => (await import('./umount-command.ts')).umountCommand(argv),
  status: async (argv) => (await import('./status-command.ts')).statusCommand(argv),
  upgrade: async (argv) => (await import('./upgrade-command.ts')).upgradeCommand(argv),
  freeze: async (argv) => (await import('./freeze-command.ts')).freezeCommand(argv),
  thaw: async (argv) => (await import('./freeze-command.ts')).thawCommand(argv),
  hold: async (argv) => (await import('./hold-command.ts')).holdCommand(argv),
  check: async (argv) => (await import('./check-command.ts')).checkCommand(argv),
  export: async (argv) => (await import('./export-command.ts')).exportCommand(argv),
  import: async (argv) => (await import('./import-command.ts')).importCommand(argv),
  wait: async (argv) => (await import('./wait-command.ts')).waitCommand(argv),
  nc: async (argv) => (await import('./nc-command.ts')).ncCommand(argv),
  serve: async (argv) => (await import('./serve-command.ts')).serveCommand(argv),
  '--version': async () => {
    const { VERSION } = await import('./version.ts');
    process.stdout.write(`holdfast ${VERSION}\n`);
  },
  '--help': help,
  '-h': help,
  help,
};

/** EX_USAGE of sysexits.h, for a command line that makes no sense. */
const EXIT_USAGE = 64;

const [name, ...rest] = process.argv.slice(2);

try {
  if (name === undefined) {
    throw new UsageError(
      'a command is needed: mount, umount, status, upgrade, freeze, thaw, hold, check, export, import, wait, nc or serve',
    );
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new UsageError(`there is no command ${name}`);
  await command(rest);
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
