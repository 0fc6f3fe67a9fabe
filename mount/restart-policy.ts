/** An engine that served for this long has done its work; what kills it then is news, not a loop. */
const SETTLED_MILLISECONDS = 1000;
/** So many short lives in a row are restarted at once: whoever kills engines on purpose shall not wait. */
const PATIENCE = 20;
const LONGEST_DELAY_MILLISECONDS = 5000;
/** After so many short lives in a row the keeper gives up: about ten minutes. */
const LIMIT = 150;
/** An engine that cannot even restore will not do better next time: give up sooner. */
const UNREADY_LIMIT = 10;

/** When to start the next engine after one has died. */
export class RestartPolicy {
  #shortLives = 0;
  #unreadyLives = 0;

  /**
   * @param served how long the dead engine had been serving, in milliseconds; undefined if it never did
   * @returns how long to wait before the next start, in milliseconds; undefined: give up
   */
  next(served: number | undefined): number | undefined {
    this.#unreadyLives = served === undefined ? this.#unreadyLives + 1 : 0;
    this.#shortLives =
      served === undefined || served < SETTLED_MILLISECONDS ? this.#shortLives + 1 : 0;
    if (this.#unreadyLives >= UNREADY_LIMIT || this.#shortLives >= LIMIT) return undefined;
    const excess = this.#shortLives - PATIENCE;
    if (excess <= 0 && this.#unreadyLives <= 1) return 0;
    return Math.min(LONGEST_DELAY_MILLISECONDS, 50 * 2 ** Math.max(excess, this.#unreadyLives));
  }
}
