import type { ControlBlock } from '../tcp/control-block.ts';
import { ErrnoError } from '../tcp/errno.ts';
import { Memory } from '../tcp/memory.ts';

/** What each user may have; Infinity: as much as there is. */
export interface UserLimits {
  /** Connections and UDP sockets that have a directory. */
  readonly connections: number;
  /** Bytes that their buffers may take together. */
  readonly bufferBytes: number;
}

export const NO_LIMITS: UserLimits = { connections: Infinity, bufferBytes: Infinity };

/** Who has how much. A user is known by the number, and has what they own, whoever made it. */
export class Users {
  readonly #limits: UserLimits;
  readonly #counts = new Map<number, number>();
  readonly #memories = new Map<number, Memory>();

  constructor(limits: UserLimits) {
    this.#limits = limits;
  }

  /**
   * Whether a user may have one more.
   * @throws ErrnoError ENFILE too many; ENOBUFS their buffers take too much
   */
  check(uid: number): void {
    if (this.#countOf(uid) >= this.#limits.connections) throw new ErrnoError('ENFILE');
    if (this.#memoryOf(uid)?.hasRoom === false) throw new ErrnoError('ENOBUFS');
  }

  /** `pcb`, if it is there, and its directory are theirs. */
  add(uid: number, pcb: ControlBlock | undefined): void {
    this.#counts.set(uid, this.#countOf(uid) + 1);
    pcb?.account.charge(this.#memoryOf(uid));
  }

  /** They have one directory less. What TCP still holds for it is theirs until it ends. */
  remove(uid: number): void {
    const count = this.#countOf(uid) - 1;
    if (count > 0) this.#counts.set(uid, count);
    else this.#counts.delete(uid);
  }

  #countOf(uid: number): number {
    return this.#counts.get(uid) ?? 0;
  }

  #memoryOf(uid: number): Memory | undefined {
    const { bufferBytes } = this.#limits;
    if (bufferBytes === Infinity) return undefined;
    let memory = this.#memories.get(uid);
    if (memory === undefined) {
      memory = new Memory(bufferBytes);
      this.#memories.set(uid, memory);
    }
    return memory;
  }
}
