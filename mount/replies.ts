import type { Egress } from '../tcp/egress.ts';

/** Where answers wait until they may leave. */
export class Replies {
  /** They leave when the turn is committed. */
  readonly process: Egress;
  /** They leave when a crash of the host cannot take the turn away. */
  readonly power: Egress;
  readonly #outlivesHost: (connection: number) => boolean;

  /** @param outlivesHost whether a connection is to outlive a crash of the host; with 0, whether anything in the store is */
  constructor(process: Egress, power: Egress, outlivesHost: (connection: number) => boolean) {
    this.process = process;
    this.power = power;
    this.#outlivesHost = outlivesHost;
  }

  /**
   * What a connection says waits for as much as the connection outlives; what changes the tree, for as much as anything does.
   * @param connection the id of the one that a request is about, 0: none
   * @param effect whether it may have changed something
   */
  to(connection: number, effect: boolean): Egress {
    const waits = (connection !== 0 || effect) && this.#outlivesHost(connection);
    return waits ? this.power : this.process;
  }
}
