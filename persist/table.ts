/** The kinds of record in the store. The numbers are on disk. */
export const Table = {
  /** Facts of the store as a whole; the index says which. */
  store: 1,
  /** One PCB each: id is the connection's. */
  connection: 2,
  /** Bytes written and not yet acknowledged: id is the connection's, index the slot. */
  sendChunk: 3,
  /** Bytes received and not yet read: id is the connection's, index the slot. */
  receiveChunk: 4,
  /** The directory of a connection or a UDP socket: name, owner, mode; id is theirs. */
  node: 5,
  /** An open file; id is its handle. */
  handle: 6,
  /** What a turn answered; kept until the replies are known to be written. */
  answer: 7,
  /** A blocked request whose first step has had its effect; id is its unique. */
  note: 8,
  /** The kernel's poll handle of an open file; id is its handle. */
  poll: 9,
  /** An address that somebody is about to dial; id is that of its file in `dial/`. */
  dialed: 10,
  /** A UDP socket each: id is the socket's. */
  udpSocket: 11,
  /** Datagrams received and not yet read: id is the socket's, index the slot. */
  datagramChunk: 12,
} as const;

/** The index of each record in the table `store`, all of id 0. */
export const StoreRecord = {
  facts: 0,
  /** By which fields the connections are written: see connection-fields.ts. */
  fields: 1,
  /** The same of UDP sockets. */
  udpFields: 2,
} as const;

export type Table = (typeof Table)[keyof typeof Table];

const NAME_OF = new Map<number, string>(
  Object.entries(Table).map(([name, number]) => [number, name]),
);

/** The name of a table, for people. */
export function nameOfTable(table: number): string {
  return NAME_OF.get(table) ?? `table ${table}`;
}
