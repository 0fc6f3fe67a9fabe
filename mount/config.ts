/** The direct driver speaks the kernel's FUSE protocol itself; the other leaves that to libfuse 2. */
export const DRIVER_NAMES = ['direct', 'fuse-native'] as const;

export type DriverName = (typeof DRIVER_NAMES)[number];

/** What a mount is made with: the command line, resolved. Keeper and engine hand it to each other as JSON. */
export interface Config {
  /** What carries the tree to the kernel. */
  readonly driver: DriverName;
  /** Whether users other than the one who mounts get in. Missing in what a keeper says that lets them. */
  readonly allowOther?: boolean;
  /** Absolute path. */
  readonly mountpoint: string;
  /** Absolute path of the store's directory. */
  readonly store: string;
  /** The stack's own address, dotted quad. */
  readonly address: string;
  /** Length of the network's prefix in bits. */
  readonly prefix: number;
  /** The host's end of the TUN, as `address/prefix`. */
  readonly hostAddress: string;
  /** The stack's own IPv6 address; without it there is no IPv6. */
  readonly address6?: string;
  /** The host's end for IPv6, as `address/prefix`; there if `address6` is. */
  readonly hostAddress6?: string;
  /** The address of the name server to be asked in place of those in /etc/resolv.conf. */
  readonly resolver?: string;
  readonly tun: string;
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  /** Whether the TUN has virtio headers (`VirtioHeader`). Missing in what a keeper says that knows of none. */
  readonly offload?: boolean;
  /** Bytes that the buffers of all connections may take together. */
  readonly memory: number;
  /** How many connections and UDP sockets each user may have; without it, any number. */
  readonly userConnections?: number;
  /** Bytes that the buffers of all connections of one user may take together; without it, those of `memory`. */
  readonly userBufferBytes?: number;
  /** Whether the first engine of the mount uses a store that is not as it was last left, without its connections. */
  readonly acceptRollback: boolean;
  /** Whether the first engine of the mount uses of the store only what was saved for a crash of the host. */
  readonly afterCrash: boolean;
  /** Whether windows are closed before it unmounts, so that peers wait for the next mount with nothing on their way. */
  readonly freeze?: boolean;
  readonly durability: 'process' | 'power';
  readonly logLevel: string;
  /** Where the log goes; standard error if there is none. */
  readonly logFile?: string;
}
