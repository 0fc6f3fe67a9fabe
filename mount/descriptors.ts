/** Where a keeper puts what an engine needs, and an engine what its new keeper needs. */
export const Descriptor = {
  /** /dev/fuse, mounted; /dev/null where the driver has nothing to hold. */
  fuse: 3,
  /** /dev/net/tun, attached to the interface. */
  tun: 4,
  /** The store's lock file, locked: the lock lives as long as one of the two processes. */
  lock: 5,
  /** A socket to the other process; its end of file is the news of the other's death. */
  control: 6,
} as const;
