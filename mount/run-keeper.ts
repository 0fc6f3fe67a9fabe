import type { Keeper } from './keeper.ts';

/** Gives this process to a keeper that has mounted, until the tree is unmounted. Does not return. */
export async function runKeeper(keeper: Keeper): Promise<never> {
  process.on('SIGINT', () => keeper.stop());
  process.on('SIGTERM', () => keeper.stop());
  // As daemons do. A terminal that goes away takes nothing with it, then.
  process.on('SIGHUP', () => void keeper.upgrade());
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  await keeper.ended;
  process.exit();
}
