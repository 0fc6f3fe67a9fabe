import { writeFileSync } from 'node:fs';

/** The process that holds the only way to carry on should be the last that the kernel picks when memory runs out. */
export function protectFromOutOfMemory(): void {
  setScore('-1000');
}

/** Undoes `protectFromOutOfMemory` in a process that inherited it. */
export function unprotectFromOutOfMemory(): void {
  setScore('0');
}

function setScore(score: string): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', score);
  } catch {
    // Lowering it needs a privilege; without it the keeper is merely as mortal as any process.
  }
}
