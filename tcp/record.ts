import { endianness } from 'node:os';
import { assert } from './assert.ts';
import { RecordError } from './record-error.ts';

/**
 * Records of fixed width in slabs: tens of thousands of them are a few large arrays, not as many objects of numbers,
 * and the first part of each, byte for byte, is what the journal writes. There is no encoder to forget a field in.
 */

export type FieldType = 'u8' | 'u16' | 'u32' | 'f64';

/**
 * What a field has to do with the journal:
 * - `durable`: a visible event depends on it, so a new value makes the record dirty;
 * - `carried`: written whenever the record is, but its change alone is no reason to write;
 * - `hint`: never written; zero after a restore.
 */
export type FieldKind = 'durable' | 'carried' | 'hint';

export interface Field {
  readonly type: FieldType;
  readonly kind: FieldKind;
}

export type FieldTable = Readonly<Record<string, Field>>;

/** To write tables of fields with. */
export const durable = {
  u8: { type: 'u8', kind: 'durable' },
  u16: { type: 'u16', kind: 'durable' },
  u32: { type: 'u32', kind: 'durable' },
  f64: { type: 'f64', kind: 'durable' },
} as const;

export const carried = {
  u8: { type: 'u8', kind: 'carried' },
  u16: { type: 'u16', kind: 'carried' },
  u32: { type: 'u32', kind: 'carried' },
  f64: { type: 'f64', kind: 'carried' },
} as const;

export const hint = {
  u8: { type: 'u8', kind: 'hint' },
  u16: { type: 'u16', kind: 'hint' },
  u32: { type: 'u32', kind: 'hint' },
  f64: { type: 'f64', kind: 'hint' },
} as const;

/** An accessor for each field of a table. All values are numbers; integers are unsigned. */
export type FieldsOf<Table extends FieldTable> = { -readonly [Name in keyof Table]: number };

/** Where a field lies in its record, in bytes. */
export interface PlacedField extends Field {
  readonly name: string;
  readonly offset: number;
}

/** A slab's records are written as they lie in memory, and the store is little-endian. */
assert(endianness() === 'LE', 'records are journaled in the byte order of a little-endian host');

const SIZE: Record<FieldType, number> = { u8: 1, u16: 2, u32: 4, f64: 8 };
const LARGEST_FIRST: readonly FieldType[] = ['f64', 'u32', 'u16', 'u8'];
const RECORDS_IN_A_SLAB = 1024;

class Slab {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;

  constructor(bytes: number) {
    const memory = new ArrayBuffer(bytes);
    this.u8 = new Uint8Array(memory);
    this.u16 = new Uint16Array(memory);
    this.u32 = new Uint32Array(memory);
    this.f64 = new Float64Array(memory);
  }
}

/** Hands out records of one width and takes them back; those handed out are zero. */
export class RecordPool {
  readonly width: number;
  readonly #slabs: Slab[] = [];
  readonly #free: number[] = [];

  /** @param width of a record, in bytes */
  constructor(width: number) {
    this.width = width;
  }

  take(): { slab: Slab; slot: number } {
    if (this.#free.length === 0) this.#addSlab();
    const number = this.#free.pop()!;
    return {
      slab: this.#slabs[Math.floor(number / RECORDS_IN_A_SLAB)]!,
      slot: number % RECORDS_IN_A_SLAB,
    };
  }

  giveBack(slab: Slab, slot: number): void {
    slab.u8.fill(0, slot * this.width, (slot + 1) * this.width);
    this.#free.push(this.#slabs.indexOf(slab) * RECORDS_IN_A_SLAB + slot);
  }

  #addSlab(): void {
    const first = this.#slabs.length * RECORDS_IN_A_SLAB;
    this.#slabs.push(new Slab(RECORDS_IN_A_SLAB * this.width));
    for (let n = RECORDS_IN_A_SLAB - 1; n >= 0; n--) this.#free.push(first + n);
  }
}

/** What every record can do, whatever its fields. */
export abstract class SlabRecord {
  readonly #pool: RecordPool;
  /** Not private (#): the accessors of the fields, which are defined from outside, read them. */
  protected slab: Slab;
  protected slot: number;

  constructor(pool: RecordPool) {
    this.#pool = pool;
    const { slab, slot } = pool.take();
    this.slab = slab;
    this.slot = slot;
  }

  /** A durable field has got a new value. */
  protected abstract touched(): void;

  /** Copies `length` bytes from the record's beginning; a view of live memory. */
  protected bytes(length: number): Uint8Array {
    const from = this.slot * this.#pool.width;
    return this.slab.u8.subarray(from, from + length);
  }

  /** Gives the slot back. Whoever still holds the record goes on reading its last values. */
  protected release(): void {
    const last = new Slab(this.#pool.width);
    last.u8.set(this.bytes(this.#pool.width));
    this.#pool.giveBack(this.slab, this.slot);
    this.slab = last;
    this.slot = 0;
  }
}

export interface RecordDefinition<Table extends FieldTable, Parent extends SlabRecord> {
  /** To be extended by the class that has the fields. */
  readonly Base: abstract new (
    pool: RecordPool,
  ) => Parent & FieldsOf<Table>;
  /** Bytes of the whole record. */
  readonly width: number;
  /** Bytes of its beginning, which holds every durable and carried field and no hint. */
  readonly journaledLength: number;
  /** The journaled fields in the order of their offsets: the layout in the store. */
  readonly journaledFields: readonly PlacedField[];
}

/**
 * Lays out the fields of `table`, the journaled ones first, and the largest first in each part, so that all are aligned.
 * @param parent what the class that has the fields is beside; what it says of fields (`declare`) has to be in `table`
 */
export function defineRecord<Table extends FieldTable, Parent extends SlabRecord>(
  table: Table,
  parent: abstract new (pool: RecordPool) => Parent,
): RecordDefinition<Table, Parent> {
  const names = Object.keys(table);
  const isHint = (name: string) => table[name]!.kind === 'hint';
  const journaled = place(
    table,
    names.filter((name) => !isHint(name)),
    0,
  );
  const hints = place(table, names.filter(isHint), journaled.end);
  const width = hints.end;

  abstract class Base extends (parent as abstract new (pool: RecordPool) => SlabRecord) {}
  for (const field of [...journaled.fields, ...hints.fields]) {
    defineAccessor(Base.prototype, field, width);
  }
  return {
    Base: Base as unknown as RecordDefinition<Table, Parent>['Base'],
    width,
    journaledLength: journaled.end,
    journaledFields: journaled.fields,
  };
}

/** The fields of a record by their types, in the order of their offsets: all there is to know of where they lie. */
export type FieldNames = Readonly<Partial<Record<FieldType, readonly string[]>>>;

/** How `fields`, which are those of a `RecordDefinition`, are told to somebody who has another one. */
export function namesOf(fields: readonly PlacedField[]): FieldNames {
  const names: Partial<Record<FieldType, string[]>> = {};
  for (const { type, name } of fields) {
    names[type] ??= [];
    names[type].push(name);
  }
  return names;
}

/**
 * Reads a record that was laid out by other fields, and writes it by those of `to`: each gets the value of its namesake,
 * and zero if it has none. The types of namesakes may differ.
 * @throws RecordError when `record` is none of `from`
 */
export function carryOver(record: Uint8Array, from: FieldNames, to: FieldNames): Uint8Array {
  const [source, target] = [placeNames(from), placeNames(to)];
  if (record.length !== source.end)
    throw new RecordError(`a record has ${record.length} bytes, and its fields ${source.end}`);
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const bytes = new Uint8Array(target.end);
  const copy = new DataView(bytes.buffer);
  for (const [name, { type, offset }] of target.places) {
    const namesake = source.places.get(name);
    if (namesake === undefined) continue;
    SET[type](copy, offset, GET[namesake.type](view, namesake.offset));
  }
  return bytes;
}

const GET: Record<FieldType, (view: DataView, offset: number) => number> = {
  u8: (view, offset) => view.getUint8(offset),
  u16: (view, offset) => view.getUint16(offset, true),
  u32: (view, offset) => view.getUint32(offset, true),
  f64: (view, offset) => view.getFloat64(offset, true),
};

const SET: Record<FieldType, (view: DataView, offset: number, value: number) => void> = {
  u8: (view, offset, value) => view.setUint8(offset, value),
  u16: (view, offset, value) => view.setUint16(offset, value, true),
  u32: (view, offset, value) => view.setUint32(offset, value, true),
  f64: (view, offset, value) => view.setFloat64(offset, value, true),
};

function placeNames(names: FieldNames) {
  const places = new Map<string, { type: FieldType; offset: number }>();
  let offset = 0;
  for (const type of LARGEST_FIRST) {
    for (const name of names[type] ?? []) {
      places.set(name, { type, offset });
      offset += SIZE[type];
    }
  }
  return { places, end: wholeWords(offset) };
}

/** So that the largest fields of the next record are aligned too. */
function wholeWords(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function place(table: FieldTable, names: string[], from: number) {
  const fields: PlacedField[] = [];
  let offset = from;
  for (const type of LARGEST_FIRST) {
    for (const name of names) {
      const field = table[name]!;
      if (field.type !== type) continue;
      fields.push({ ...field, name, offset });
      offset += SIZE[type];
    }
  }
  return { fields, end: wholeWords(offset) };
}

/** What the accessors see of a record. */
interface Fielded {
  readonly slab: Slab;
  readonly slot: number;
  touched(): void;
}

function defineAccessor(prototype: object, field: PlacedField, width: number): void {
  const stride = width / SIZE[field.type];
  const at = field.offset / SIZE[field.type];
  const isDurable = field.kind === 'durable';
  const accessor = ACCESSORS[field.type](stride, at, isDurable);
  Object.defineProperty(prototype, field.name, accessor as PropertyDescriptor);
}

interface Accessor {
  get(this: Fielded): number;
  set(this: Fielded, value: number): void;
}

type MakeAccessor = (stride: number, at: number, isDurable: boolean) => Accessor;

/**
 * The same four times, because V8 compiles a function once for all closures of it: one that finds its array by the name of a
 * type never knows which, and every access to every field would be a search.
 */
const ACCESSORS: Record<FieldType, MakeAccessor> = {
  u8: (stride, at, isDurable) => ({
    get() {
      return this.slab.u8[this.slot * stride + at]!;
    },
    set(value) {
      const index = this.slot * stride + at;
      if (this.slab.u8[index] === value) return;
      this.slab.u8[index] = value;
      if (isDurable) this.touched();
    },
  }),
  u16: (stride, at, isDurable) => ({
    get() {
      return this.slab.u16[this.slot * stride + at]!;
    },
    set(value) {
      const index = this.slot * stride + at;
      if (this.slab.u16[index] === value) return;
      this.slab.u16[index] = value;
      if (isDurable) this.touched();
    },
  }),
  u32: (stride, at, isDurable) => ({
    get() {
      return this.slab.u32[this.slot * stride + at]!;
    },
    set(value) {
      const index = this.slot * stride + at;
      if (this.slab.u32[index] === value) return;
      this.slab.u32[index] = value;
      if (isDurable) this.touched();
    },
  }),
  f64: (stride, at, isDurable) => ({
    get() {
      return this.slab.f64[this.slot * stride + at]!;
    },
    set(value) {
      const index = this.slot * stride + at;
      if (this.slab.f64[index] === value) return;
      this.slab.f64[index] = value;
      if (isDurable) this.touched();
    },
  }),
};
