import { HostError } from './host-error.ts';
import type { Keeper } from './keeper.ts';
import { type Answer, listenForCommands, type Question, stopListening } from './keeper-socket.ts';

/** Gives this process to a keeper that has mounted, until the tree is unmounted. Does not return. */
export async function runKeeper(keeper: Keeper, store: string): Promise<never> {
  process.on('SIGINT', () => keeper.stop());
  process.on('SIGTERM', () => keeper.stop());
  // As daemons do. A terminal that goes away takes nothing with it, then.
  process.on('SIGHUP', () => void keeper.upgrade().catch(() => {}));
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const server = listenForCommands(store, (question) => answer(keeper, question));
  await keeper.ended;
  stopListening(store, server);
  process.exit();
}

async function answer(keeper: Keeper, { ask }: Question): Promise<Answer> {
  try {
    if (ask === 'freeze') await keeper.freeze();
    if (ask === 'thaw') await keeper.thaw();
    if (ask === 'upgrade') await keeper.upgrade();
    return { isFrozen: keeper.isFrozen };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { error: error.message, isFrozen: keeper.isFrozen };
  }
}
