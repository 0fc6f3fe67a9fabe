import type { Memory, MemoryUse } from './memory.ts';

/** What one socket counts for, in the memory of the stack and in that of its user, if that has a limit of its own. */
export class Account implements MemoryUse {
  readonly #stack: Memory;
  #user: Memory | undefined;
  /** Bytes beyond what every socket counts for. */
  #used = 0;

  /** The socket begins. */
  constructor(stack: Memory) {
    this.#stack = stack;
    stack.admit();
  }

  /** The socket has ended, and has given back what it held. */
  close(): void {
    this.#stack.dismiss();
    this.charge(undefined);
  }

  /** Who the user is from now on. */
  charge(user: Memory | undefined): void {
    this.#user?.dismiss(this.#used);
    user?.admit(this.#used);
    this.#user = user;
  }

  count(from: number, to: number): void {
    this.#used += this.#stack.count(from, to);
    this.#user?.count(from, to);
  }

  most(bytes: number): number {
    const most = this.#stack.most(bytes);
    return this.#user === undefined ? most : Math.min(most, this.#user.most(bytes));
  }
}
