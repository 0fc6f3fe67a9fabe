/** When a host is frozen, times in milliseconds. */
export interface FreezePlan {
  readonly at: number;
  /** How long, at the most: who is left alone for too long in the middle of a handshake, or when its user has gone, gives up. */
  readonly lasts: number;
  /** Whether the host goes down meanwhile, and comes back with another clock. */
  readonly reboots: boolean;
  /** Whether who stands in dies meanwhile, and another one comes. */
  readonly losesStandIn: boolean;
}
