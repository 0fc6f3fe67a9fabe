import { assert } from '../tcp/assert.ts';
import { ErrnoError } from '../tcp/errno.ts';
import { RecordError } from '../tcp/record-error.ts';
import { decodeHandle, encodeHandle, type Handle } from './handle-record.ts';
import type { Records } from './records.ts';

/** The record that says which serial numbers may have been given out; no open file has this number. */
const RESERVED = 0;

/** How many serial numbers are reserved with one record. */
const RESERVATION = 1024;

/**
 * The open files by serial number. A number is never used again, also not by the next engine: numbers are reserved in
 * the records before they are given out, and a new engine begins behind the reservation.
 */
export class Handles {
  readonly #records: Records;
  readonly #handles = new Map<number, Handle>();
  /** How many are open, by connection. */
  readonly #counts = new Map<number, number>();
  #next = 1;
  /** One past the last number reserved. */
  #reserved = 1;

  constructor(records: Records) {
    this.#records = records;
  }

  add(handle: Handle): number {
    if (this.#next === this.#reserved) this.#reserve();
    const serial = this.#next++;
    this.#insert(serial, handle);
    this.save(serial, handle);
    return serial;
  }

  find(serial: number): Handle | undefined {
    return this.#handles.get(serial);
  }

  /** @throws ErrnoError EBADF */
  get(serial: number): Handle {
    const handle = this.#handles.get(serial);
    if (handle === undefined) throw new ErrnoError('EBADF');
    return handle;
  }

  /** The open file is another one of the same connection from now on. */
  replace(serial: number, handle: Handle): void {
    assert(this.#handles.get(serial)?.connection === handle.connection, 'it is of this connection');
    this.#handles.set(serial, handle);
    this.save(serial, handle);
  }

  save(serial: number, handle: Handle): void {
    this.#records.put('handle', serial, encodeHandle(handle));
  }

  delete(serial: number): void {
    const handle = this.#handles.get(serial);
    if (handle === undefined) return;
    this.#handles.delete(serial);
    this.#records.delete('handle', serial);
    const { connection } = handle;
    const count = this.countOf(connection) - 1;
    if (count > 0) this.#counts.set(connection, count);
    else this.#counts.delete(connection);
  }

  /** How many of the files of `connection` are open. */
  countOf(connection: number): number {
    return this.#counts.get(connection) ?? 0;
  }

  clear(): void {
    for (const serial of this.#handles.keys()) this.#records.delete('handle', serial);
    this.#handles.clear();
    this.#counts.clear();
  }

  /**
   * @param isFile whether there is such a file
   * @throws RecordError
   */
  restore(
    serial: number,
    value: Uint8Array,
    isFile: (kind: number, connection: number) => boolean,
  ): void {
    if (serial === RESERVED) {
      this.#skipTo(decodeReserved(value));
      return;
    }
    const handle = decodeHandle(value);
    if (!isFile(handle.kind, handle.connection)) {
      throw new RecordError(`the record of handle ${serial} is of no file`);
    }
    this.#insert(serial, handle);
    this.#skipTo(serial + 1);
  }

  #insert(serial: number, handle: Handle): void {
    this.#handles.set(serial, handle);
    this.#counts.set(handle.connection, this.countOf(handle.connection) + 1);
  }

  #reserve(): void {
    this.#reserved += RESERVATION;
    const value = new Uint8Array(8);
    new DataView(value.buffer).setBigUint64(0, BigInt(this.#reserved), true);
    this.#records.put('handle', RESERVED, value);
  }

  #skipTo(serial: number): void {
    this.#next = Math.max(this.#next, serial);
    this.#reserved = this.#next;
  }
}

function decodeReserved(value: Uint8Array): number {
  if (value.length !== 8) throw new RecordError('the record of reserved handles is not 8 bytes');
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const reserved = Number(view.getBigUint64(0, true));
  if (!Number.isSafeInteger(reserved)) throw new RecordError('the reserved handles are no number');
  return reserved;
}
