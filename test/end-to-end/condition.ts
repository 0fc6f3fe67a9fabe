import { setTimeout as delay } from 'node:timers/promises';

/** How often a condition that nothing announces is looked at again, in milliseconds. */
const INTERVAL_MILLISECONDS = 5;

/**
 * Resolves with the first truthy answer of `condition`. It waits for ever: the deadline is the test's.
 */
export async function until<T>(condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    await delay(INTERVAL_MILLISECONDS);
  }
}
