/** The part of a test that cleans up after itself, for what runs outside of tap. */
export class Scope {
  readonly #handlers: (() => void | Promise<void>)[] = [];

  /** Runs `run`, and then what it has asked for, the last first. */
  static async run<T>(run: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = new Scope();
    try {
      return await run(scope);
    } finally {
      for (const handler of scope.#handlers.reverse()) await handler();
    }
  }

  teardown(handler: () => void | Promise<void>): void {
    this.#handlers.push(handler);
  }

  passing(): boolean {
    return true;
  }
}
