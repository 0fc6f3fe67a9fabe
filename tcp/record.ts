import { endianness } from 'node:os';
import { assert } from './assert.ts';

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

export interface RecordDefinition<Table extends FieldTable> {
  /** To be extended by the class that has the fields. */
  readonly Base: abstract new (
    pool: RecordPool,
  ) => SlabRecord & FieldsOf<Table>;
  /** Bytes of the whole record. */
  readonly width: number;
  /** Bytes of its beginning, which holds every durable and carried field and no hint. */
  readonly journaledLength: number;
  /** The journaled fields in the order of their offsets: the layout in the store. */
  readonly journaledFields: readonly PlacedField[];
}

/**
 * Lays out the fields of `table`, the journaled ones first, and the largest first in each part, so that all are aligned.
 */
export function defineRecord<Table extends FieldTable>(table: Table): RecordDefinition<Table> {
  const names = Object.keys(table);
  const isHint = (name: string) => table[name]!.kind === 'hint';
  const journaled = place(
    table,
    names.filter((name) => !isHint(name)),
    0,
  );
  const hints = place(table, names.filter(isHint), journaled.end);
  const width = hints.end;

  abstract class Base extends SlabRecord {}
  for (const field of [...journaled.fields, ...hints.fields]) {
    defineAccessor(Base.prototype, field, width);
  }
  return {
    Base: Base as unknown as RecordDefinition<Table>['Base'],
    width,
    journaledLength: journaled.end,
    journaledFields: journaled.fields,
  };
}

function place(table: FieldTable, names: string[], from: number) {
  const fields: PlacedField[] = [];
  let offset = from;
  for (const size of [8, 4, 2, 1]) {
    for (const name of names) {
      const field = table[name]!;
      if (SIZE[field.type] !== size) continue;
      fields.push({ ...field, name, offset });
      offset += size;
    }
  }
  return { fields, end: Math.ceil(offset / 8) * 8 };
}

/** What the accessors see of a record. */
interface Fielded {
  readonly slab: Slab;
  readonly slot: number;
  touched(): void;
}

function defineAccessor(prototype: object, field: PlacedField, width: number): void {
  const { name, type } = field;
  const stride = width / SIZE[type];
  const at = field.offset / SIZE[type];
  const isDurable = field.kind === 'durable';
  Object.defineProperty(prototype, name, {
    get(this: Fielded): number {
      return this.slab[type][this.slot * stride + at]!;
    },
    set(this: Fielded, value: number) {
      const values = this.slab[type];
      const index = this.slot * stride + at;
      if (isDurable && values[index] !== value) {
        values[index] = value;
        this.touched();
      } else {
        values[index] = value;
      }
    },
  });
}
