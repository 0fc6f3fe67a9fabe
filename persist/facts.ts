import { randomBytes } from 'node:crypto';
import type { Absence } from '../tcp/absence.ts';
import { readBootId } from './boot-id.ts';
import type { Change } from './change.ts';
import { getU64, LAYOUT_VERSION, putU64 } from './layout.ts';
import { StoreRecord, Table } from './table.ts';

const VERSION = 0;
const LINEAGE = 4;
const TURN = 8;
const EPOCH = 16;
const MOUNT_INSTANCE = 24;
const SECRET = 32;
const SECRET_LENGTH = 32;
const NEXT_ID = 64;
const NEXT_HANDLE = 72;
const BOOT_ID = 80;
const BOOT_ID_LENGTH = 16;
const MONOTONIC = 96;
const WALL = 104;

/** What is true of the store as a whole: one record of fixed width, committed with every turn. */
export class Facts {
  static readonly LENGTH = 112;
  /** The record itself. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** A fact was set since the last commit. The stamp of the commit itself does not count. */
  changed = false;

  /** @param bytes a record read from the store; it is copied */
  constructor(bytes?: Uint8Array) {
    this.bytes = new Uint8Array(Facts.LENGTH);
    this.#view = new DataView(this.bytes.buffer);
    if (bytes) {
      this.bytes.set(bytes);
      return;
    }
    this.#view.setUint32(VERSION, LAYOUT_VERSION);
    this.bytes.set(randomBytes(SECRET_LENGTH), SECRET);
    this.nextId = 1;
    this.nextHandle = 1;
  }

  get layoutVersion(): number {
    return this.#view.getUint32(VERSION);
  }

  set layoutVersion(version: number) {
    if (this.layoutVersion === version) return;
    this.#view.setUint32(VERSION, version);
    this.changed = true;
  }

  /** See witness.ts. */
  get lineage(): number {
    return this.#view.getUint32(LINEAGE);
  }

  set lineage(lineage: number) {
    this.#view.setUint32(LINEAGE, lineage);
    this.changed = true;
  }

  /** The turn that this record was committed with. */
  get turn(): number {
    return getU64(this.#view, TURN);
  }

  /** How many engines have used the store, this one included. */
  get epoch(): number {
    return getU64(this.#view, EPOCH);
  }

  set epoch(epoch: number) {
    this.#setU64(EPOCH, epoch);
  }

  /**
   * Names the FUSE mount that the store serves: a request's `unique` means something only together with it.
   * 0 before the first mount.
   */
  get mountInstance(): number {
    return getU64(this.#view, MOUNT_INSTANCE);
  }

  set mountInstance(instance: number) {
    this.#setU64(MOUNT_INSTANCE, instance);
  }

  /** 32 random bytes that never change: for initial sequence numbers (RFC 6528) and the like. */
  get secret(): Uint8Array {
    return this.bytes.subarray(SECRET, SECRET + SECRET_LENGTH);
  }

  /** The id that the next connection gets. */
  get nextId(): number {
    return getU64(this.#view, NEXT_ID);
  }

  set nextId(id: number) {
    this.#setU64(NEXT_ID, id);
  }

  /** The number that the next open file gets. */
  get nextHandle(): number {
    return getU64(this.#view, NEXT_HANDLE);
  }

  set nextHandle(handle: number) {
    this.#setU64(NEXT_HANDLE, handle);
  }

  /** Which boot of the host the clock of the last commit belongs to. */
  get bootId(): Uint8Array {
    return this.bytes.subarray(BOOT_ID, BOOT_ID + BOOT_ID_LENGTH);
  }

  /** CLOCK_MONOTONIC at the last commit, in milliseconds. */
  get monotonic(): number {
    return this.#view.getFloat64(MONOTONIC);
  }

  /** The wall clock at the last commit, in milliseconds since 1970. */
  get wall(): number {
    return this.#view.getFloat64(WALL);
  }

  /**
   * The time since the last commit. When the host has gone down since, CLOCK_MONOTONIC is another one, and what there is to tell
   * by is the wall clock, which anybody may set.
   * @param now CLOCK_MONOTONIC in milliseconds
   * @param wall milliseconds since 1970
   */
  absence(now: number, wall: number): Absence {
    const began = this.monotonic;
    const isSameBoot = Buffer.compare(this.bootId, readBootId()) === 0;
    if (!isSameBoot) return { began, atLeast: 0, estimate: Math.max(0, wall - this.wall) };
    const elapsed = Math.max(0, now - began);
    return { began, atLeast: elapsed, estimate: elapsed };
  }

  /** The record, as every commit writes it. */
  get change(): Change {
    return { table: Table.store, id: 0, index: StoreRecord.facts, value: this.bytes };
  }

  /** What every commit records of itself. */
  stamp(turn: number, bootId: Uint8Array, monotonic: number, wall: number): void {
    putU64(this.#view, TURN, turn);
    this.bytes.set(bootId, BOOT_ID);
    this.#view.setFloat64(MONOTONIC, monotonic);
    this.#view.setFloat64(WALL, wall);
  }

  #setU64(offset: number, value: number): void {
    if (getU64(this.#view, offset) === value) return;
    putU64(this.#view, offset, value);
    this.changed = true;
  }
}
