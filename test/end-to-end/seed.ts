/** The seed of this run: that of HOLDFAST_SEED to repeat a run, a new one otherwise. */
export const SEED: number = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 2 ** 32);
