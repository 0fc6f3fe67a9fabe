import { assert } from '../tcp/assert.ts';
import { nameOfTable, StoreRecord, Table } from './table.ts';

/**
 * Counts the changes that a program has to know of to read the store; `upgrade.ts` has a step for each. A connection's
 * fields are not among them, as long as zero is right for those that are new: the store says itself which ones it has.
 */
export const LAYOUT_VERSION = 7;

/** LMDB's own file. */
export const DATA_FILE = 'data.mdb';
/** LMDB's table of readers and its mutexes; holds nothing that outlives a process. */
export const LMDB_LOCK_FILE = 'lock.mdb';
/** Turns that LMDB does not have yet: see redo-log.ts. */
export const REDO_FILE = 'redo';
/** The last committed turn, outside LMDB: see turn-file.ts. */
export const TURN_FILE = 'turn';
/** What it is called before it is whole. */
export const UNFINISHED_TURN_FILE = 'turn.unfinished';
/** Saved meta pages: see checkpoint.ts. */
export const CHECKPOINT_FILES = ['checkpoint-0', 'checkpoint-1'] as const;
/** What a death of the host leaves of connections that were not to outlive it: see snapshot.ts. */
export const SNAPSHOT_FILE = 'snapshot';
/** What it is called before it is whole. */
export const UNFINISHED_SNAPSHOT_FILE = 'snapshot.unfinished';
/** Room kept for when the disk is full: see reserve.ts. */
export const RESERVE_FILE = 'reserve';
export const README_FILE = 'README';

/** Table, id, index. */
export const KEY_LENGTH = 13;
/** What stands before the payload of every record. */
export const CHECKSUM_LENGTH = 4;

/** What stands before the bytes of a chunk: their stream offset. */
export const CHUNK_HEADER_LENGTH = 8;
/**
 * The most bytes of a stream in one chunk. With all that is put around them they fill 16 of LMDB's pages exactly, whose
 * run of overflow pages begins with a header of 24 bytes (mdb.c: MDB_page_header, OVPAGES).
 */
export const LARGEST_CHUNK = 16 * 4096 - 24 - CHECKSUM_LENGTH - CHUNK_HEADER_LENGTH;

/** Ids and turns are exact integers. */
export const LARGEST_ID = Number.MAX_SAFE_INTEGER;

/** Writes `value`, an integer below 2**53, as eight bytes. */
export function putU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value >>> 0);
}

/** Reads eight bytes; what is 2**53 or more is inexact. */
export function getU64(view: DataView, offset: number): number {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
}

/** Writes a record's key at `offset`. Its order is that of (table, id, index). */
export function putKey(
  view: DataView,
  offset: number,
  table: Table,
  id: number,
  index: number,
): void {
  assert(id >= 0 && id <= LARGEST_ID, 'an id is an integer below 2**53');
  assert(index >= 0 && index < 2 ** 32, 'an index has 32 bits');
  view.setUint8(offset, table);
  putU64(view, offset + 1, id);
  view.setUint32(offset + 9, index);
}

/** Whether a key is that of the facts. */
export function isFacts(key: Uint8Array): boolean {
  return key[0] === Table.store && key[KEY_LENGTH - 1] === StoreRecord.facts;
}

/** Says in words which record a key is of. */
export function nameOfKey(key: Uint8Array): string {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return `${nameOfTable(view.getUint8(0))} ${getU64(view, 1)}/${view.getUint32(9)}`;
}

/** The README of every store. */
export const README = `This directory is a Holdfast store: the TCP connections and UDP sockets of one
daemon.

Do not edit, copy back or thin out its files. A store that is damaged, or older
than what the daemon last promised its peers, is refused. To start afresh, remove
the whole directory: the connections in it are then lost.

  data.mdb      the records, in an LMDB environment (layout version ${LAYOUT_VERSION})
  lock.mdb      LMDB's readers and mutexes; holds nothing that outlives a process
  redo          the turns that data.mdb does not have yet
  turn          the number of the last committed turn, and for which boot of the host
  checkpoint-*  LMDB's two meta pages as they were when everything they speak of had
                reached the disk; only with durability power
  snapshot      facts, sockets and directories as they were a while ago: what the
                host's death leaves of connections with durability process
  reserve       nothing of meaning: room that is given back when the disk is full
  lock          held by the daemon that uses the store

Beside the directory, and not in it, lies a file with .witness behind its name. It
knows how far the store has come, so that an older copy of the whole directory is
refused as well. Whoever moves the store moves that file too. It is

  8 bytes "HOLDFAST", u32 lineage, u32 zero, u64 last committed turn, u64 last turn
  that is known to be on the disk, u32 CRC-32 of all before

All numbers are big-endian, but for those of a protocol control block, which is
as it lies in memory. A record's key is

  u8 table, u64 id, u32 index

and its value is

  u32 CRC-32 of key and payload, payload

Tables: 1 the store's facts; 2 connections, one protocol control block each; 3 bytes
sent and not acknowledged; 4 bytes received and not read; 5 directories; 6 open
files; 7 answers to requests; 8 requests that wait; 9 poll handles; 10 addresses
about to be dialed; 11 UDP sockets, one control block each; 12 datagrams received
and not read.

Of the store's facts, index 0 are the facts, and index 1 says as JSON which fields a
protocol control block has: their names by type, in the order in which they lie, the
types in the order f64, u32, u16, u8, and padding to whole eight bytes behind them.
Index 2 says the same of a UDP socket.

A chunk of a stream (tables 3, 4 and 12) is

  u64 stream offset of its first byte, its bytes

The id is the connection's, the index a slot that is used again. Chunks wholly below
the start of their stream mean nothing any more. A stream of datagrams is, for each

  16 bytes address it came from, 16 bytes address it came to (IPv4 as ::ffff:a.b.c.d),
  u16 port it came from, u16 length, its bytes

The file turn is

  8 bytes "HOLDFAST", u32 layout version, u8 checkpoint (1: there is one),
  u8 closed (1: everything had reached the disk), u8 doubtful (1: a sync of
  data.mdb has begun, and none has succeeded since), u8 zero, u64 turn,
  16 bytes boot id of the host, u64 least length of data.mdb in bytes,
  u32 CRC-32 of all before

The file redo holds turns one after the other. Those that follow the turn of
data.mdb's facts without gap are part of the store, and what comes after them means
nothing, like all of it once the host has gone down. A turn is

  u32 length in bytes of all of it, u32 CRC-32 of all that follows, u64 turn, and for
  each change: u32 length of the value (2**32 - 1: the record is gone), key, payload

The file snapshot has sections, the first of records of tables 1, 2, 5 and 11, and
each other one of those that have changed since the section before. A section is

  u32 length of its entries, u32 CRC-32 of them, u32 CRC-32 of these two, and for
  each entry: u32 length of the value (2**32 - 1: the record is gone), key, value

of which the last entry for a key counts. A section whose third number is wrong was
never finished, and ends the file.

The facts are

  u32 layout version, u32 lineage (random; another one after a rollback that was
  accepted; 0: none yet), u64 turn, u64 epoch (how many engines have used the store),
  u64 mount instance, 32 bytes secret, u64 next connection id,
  u64 next handle, 16 bytes boot id of the host, f64 monotonic clock and f64 wall
  clock at the commit, in milliseconds
`;
