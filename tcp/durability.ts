/**
 * What a connection outlives, by `pcb.DURABILITY`: any death of the engine, or one of the host too. The numbers are in
 * the journal.
 */
export const DURABILITIES = ['process', 'power'] as const;

export type DurabilityName = (typeof DURABILITIES)[number];

export const Durability = { PROCESS: 0, POWER: 1 } as const;
