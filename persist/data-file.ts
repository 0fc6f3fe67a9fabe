import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * LMDB's data file, read without LMDB: LMDB trusts its file, so that one wrong byte may crash the process that reads it,
 * hide records, or let later writes overwrite live pages. Everything LMDB will ever follow is followed here first.
 *
 * The format is that of lmdb-js's mdb.c on a 64-bit little-endian host: MDB_page_header, MDB_meta, MDB_db,
 * MDB_node, MDB_ovpage.
 */

const PAGE_HEADER = 24;
const PageFlags = { branch: 0x01, leaf: 0x02, overflow: 0x04, meta: 0x08 } as const;

const META_MAGIC = 0xbeefc0de;
const META_VERSION = 2;
const META_LENGTH = PAGE_HEADER + 136;
/** Bytes of the two meta pages that mean something. */
export const METAS_LENGTH = 2 * META_LENGTH;
const FREE_DB = 24;
const MAIN_DB = 72;
/** MDB_INTEGERKEY: the free list is keyed by transaction number. */
const FREE_DB_FLAGS = 0x08;
const MAIN_DB_FLAGS = 0;
const NO_PAGE = -1;

const NODE_HEADER = 8;
const NODE_IS_BIG = 0x01;
/** MDB_ovpage: page number, transaction number, number of pages. */
const BIG_NODE_LENGTH = 24;

const LARGEST_MAP = 2 ** 46;
/** The last pages may be missing in the file if one transaction allocated and freed them (MDB_IDL_UM_SIZE). */
const MOST_PAGES_OF_ONE_TRANSACTION = 2 ** 17;
const DEEPEST_TREE = 32; // CURSOR_STACK

/** What is wrong with the file. */
export class DataFileDamage extends Error {
  override name = 'DataFileDamage';
}

interface TreeRoot {
  readonly flags: number;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  readonly root: number;
}

interface Meta {
  readonly mapSize: number;
  readonly free: TreeRoot;
  readonly main: TreeRoot;
  readonly lastPage: number;
  readonly transaction: number;
}

type Visitor = (key: Uint8Array, value: Uint8Array) => void;
/** Given each run of pages as it is read: the transaction that wrote it, and where it lies. */
type PageVisitor = (transaction: number, pages: Buffer, position: number) => void;
type Comparison = (a: Uint8Array, b: Uint8Array) => number;

/** One walk over the file. */
class Walk {
  readonly #fd: number;
  readonly #fileLength: number;
  #pageSize = 0;
  #pages = 0;
  #meta!: Meta;
  /** Of each page in the file, whether something has laid claim to it. */
  #claimed = new Uint8Array(0);
  readonly #visitPages: PageVisitor;

  constructor(fd: number, visitPages: PageVisitor = () => {}) {
    this.#fd = fd;
    this.#visitPages = visitPages;
    this.#fileLength = fstatSync(fd).size;
  }

  /** @returns the number of records visited */
  run(visit: Visitor, metas: Buffer): number {
    this.#readMetas(metas);
    this.#claimed = new Uint8Array(this.#pages);
    this.#claim(0, 1, 'the first meta page');
    this.#claim(1, 1, 'the second meta page');
    new TreeWalk(this, this.#meta.main, Buffer.compare, visit).run();
    const freed: Buffer[] = [];
    new TreeWalk(this, this.#meta.free, compareTransactions, (key, value) => {
      if (key.length !== 8) throw new DataFileDamage('the free list has a wrong key');
      const transaction = readU64(Buffer.from(key), 0);
      if (transaction < 1 || transaction > this.transaction)
        throw new DataFileDamage('pages were freed by a transaction that never was');
      freed.push(Buffer.from(value));
    }).run();
    for (const list of freed) this.#claimFreePages(list);
    return this.#meta.main.entries;
  }

  get pageSize(): number {
    return this.#pageSize;
  }

  get transaction(): number {
    return this.#meta.transaction;
  }

  /** Reads a run of pages that nothing else may lie in. */
  readPages(first: number, count: number, into?: Buffer): Buffer {
    const what = `page ${first}`;
    if (!Number.isSafeInteger(first) || first < 2)
      throw new DataFileDamage(`${what} is no tree page`);
    this.#claim(first, count, what);
    const length = count * this.#pageSize;
    const pages = into ?? Buffer.allocUnsafe(length);
    const position = first * this.#pageSize;
    readFully(this.#fd, pages, length, position, what);
    this.#visitPages(readU64(pages, 8), pages, position);
    return pages;
  }

  #claim(first: number, count: number, what: string): void {
    if (first + count > this.#pages)
      throw new DataFileDamage(`the file is cut short before ${what}`);
    if (first + count - 1 > this.#meta.lastPage)
      throw new DataFileDamage(`${what} lies behind the last page in use`);
    for (let page = first; page < first + count; page++) {
      if (this.#claimed[page] !== 0) throw new DataFileDamage(`page ${page} is used twice`);
      this.#claimed[page] = 1;
    }
  }

  /** A list of the free database: its length, then page numbers, or -n and the first of n pages, or 0. */
  #claimFreePages(list: Buffer): void {
    const length = list.length >= 8 ? readU64(list, 0) : NO_PAGE;
    if (length < 0 || (length + 1) * 8 > list.length)
      throw new DataFileDamage('a list of free pages is cut short');
    for (let i = 1; i <= length; i++) {
      let page = readS64(list, i * 8);
      if (page === 0) continue;
      let count = 1;
      if (page < 0) {
        if (i === length) throw new DataFileDamage('a list of free pages ends in a block');
        count = -page;
        page = readS64(list, ++i * 8);
      }
      if (page < 2 || page + count - 1 > this.#meta.lastPage)
        throw new DataFileDamage(`the list of free pages names page ${page}, which does not exist`);
      const inFile = Math.min(count, this.#pages - page);
      if (inFile > 0) this.#claim(page, inFile, `free page ${page}`);
    }
  }

  #readMetas(metas: Buffer): void {
    const size = pageSizeOf(metas);
    this.#pageSize = size;
    this.#pages = Math.floor(this.#fileLength / size);
    const first = metas.subarray(0, META_LENGTH);
    const second = metas.subarray(META_LENGTH);
    const a = this.#readMeta(first, 0);
    const b = this.#readMeta(second, 1);
    this.#meta = a.transaction > b.transaction ? a : b;
    const { lastPage, mapSize } = this.#meta;
    if ((lastPage + 1) * size > mapSize || lastPage > this.#pages + MOST_PAGES_OF_ONE_TRANSACTION)
      throw new DataFileDamage('the newer meta page has a wrong last page');
    if (Math.abs(a.transaction - b.transaction) !== 1)
      throw new DataFileDamage('the meta pages are not of two transactions in a row');
  }

  #readMeta(page: Buffer, number: number): Meta {
    const bad = (what: string) => new DataFileDamage(`meta page ${number} has a wrong ${what}`);
    if (readU64(page, 0) !== number) throw bad('number');
    if (page.readUInt16LE(18) !== PageFlags.meta) throw bad('page type');
    const meta = page.subarray(PAGE_HEADER);
    if (meta.readUInt32LE(0) !== META_MAGIC) throw bad('magic number');
    if (meta.readUInt32LE(4) !== META_VERSION) throw bad('format version');
    if (readU64(meta, 8) !== 0) throw bad('map address');
    const mapSize = readU64(meta, 16);
    if (mapSize > LARGEST_MAP || mapSize % this.#pageSize !== 0) throw bad('map size');
    if (meta.readUInt32LE(FREE_DB) !== this.#pageSize) throw bad('page size');
    const transaction = readU64(meta, 128);
    // Transactions take turns between the two pages.
    if (transaction % 2 !== number) throw bad('transaction number');
    const free = readTreeRoot(meta, FREE_DB);
    const main = readTreeRoot(meta, MAIN_DB);
    if (free.flags !== FREE_DB_FLAGS || main.flags !== MAIN_DB_FLAGS) throw bad('tree kind');
    return { mapSize, free, main, lastPage: readU64(meta, 120), transaction };
  }
}

/** One walk over one of the file's two trees, in the order of its keys. */
class TreeWalk {
  readonly #walk: Walk;
  readonly #tree: TreeRoot;
  readonly #compare: Comparison;
  readonly #visit: Visitor;
  /** A page for each level. */
  readonly #levels: Buffer[] = [];
  #branchPages = 0;
  #leafPages = 0;
  #overflowPages = 0;
  #entries = 0;
  #last: Uint8Array | undefined;

  constructor(walk: Walk, tree: TreeRoot, compare: Comparison, visit: Visitor) {
    this.#walk = walk;
    this.#tree = tree;
    this.#compare = compare;
    this.#visit = visit;
  }

  run(): void {
    const tree = this.#tree;
    if (tree.depth > DEEPEST_TREE) throw new DataFileDamage('a tree is too deep');
    if ((tree.root === NO_PAGE) !== (tree.depth === 0))
      throw new DataFileDamage('a tree has a wrong depth');
    if (tree.root !== NO_PAGE) this.#walkPage(tree.root, 1, undefined, undefined);
    if (
      this.#branchPages !== tree.branchPages ||
      this.#leafPages !== tree.leafPages ||
      this.#overflowPages !== tree.overflowPages ||
      this.#entries !== tree.entries
    )
      throw new DataFileDamage('a tree has not as many records or pages as it says');
  }

  /** All keys below this page are in [low, high). */
  #walkPage(
    number: number,
    level: number,
    low: Uint8Array | undefined,
    high: Uint8Array | undefined,
  ): void {
    this.#levels[level] ??= Buffer.alloc(this.#walk.pageSize);
    const page = this.#walk.readPages(number, 1, this.#levels[level]);
    const isLeaf = level === this.#tree.depth;
    this.#checkHeader(page, number, isLeaf ? PageFlags.leaf : PageFlags.branch);
    const nodes = nodesOf(page, number, isLeaf);
    if (isLeaf) {
      this.#leafPages += 1;
      for (const node of nodes) this.#walkRecord(page, number, node, low, high);
      return;
    }
    this.#branchPages += 1;
    // The key of a branch's first node means nothing: it is below everything.
    const keys = nodes.map((node, i) => (i === 0 ? low : Buffer.from(keyOf(page, node))));
    const children = nodes.map((node) => childOf(page, node));
    for (const [i, child] of children.entries())
      this.#walkPage(child, level + 1, keys[i], i + 1 < keys.length ? keys[i + 1] : high);
  }

  #walkRecord(
    page: Buffer,
    number: number,
    node: number,
    low: Uint8Array | undefined,
    high: Uint8Array | undefined,
  ): void {
    const key = keyOf(page, node);
    const after = this.#last === undefined || this.#compare(this.#last, key) < 0;
    const inside =
      (low === undefined || this.#compare(low, key) <= 0) &&
      (high === undefined || this.#compare(key, high) < 0);
    if (!after || !inside) throw new DataFileDamage(`the keys on page ${number} are out of order`);
    this.#last = Buffer.from(key);
    this.#entries += 1;
    this.#visit(key, this.#valueOf(page, node, key.length));
  }

  #valueOf(page: Buffer, node: number, keyLength: number): Uint8Array {
    const length = page.readUInt32LE(node);
    const at = node + NODE_HEADER + keyLength;
    if (page.readUInt16LE(node + 4) === 0) return page.subarray(at, at + length);
    const first = readU64(page, at);
    const count = readU64(page, at + 16);
    const { pageSize } = this.#walk;
    // More than it needs, if a longer value was there before in the same transaction.
    if (count < Math.floor((PAGE_HEADER - 1 + length) / pageSize) + 1)
      throw new DataFileDamage(`a record has a wrong number of pages at ${first}`);
    const pages = this.#walk.readPages(first, count);
    this.#checkHeader(pages, first, PageFlags.overflow);
    if (pages.readUInt32LE(20) !== count || readU64(page, at + 8) !== readU64(pages, 8))
      throw new DataFileDamage(`page ${first} is not what its record says`);
    this.#overflowPages += count;
    return pages.subarray(PAGE_HEADER, PAGE_HEADER + length);
  }

  #checkHeader(page: Buffer, number: number, flags: number): void {
    if (readU64(page, 0) !== number || page.readUInt16LE(18) !== flags)
      throw new DataFileDamage(`page ${number} is not the page it should be`);
    if (readU64(page, 8) > this.#walk.transaction)
      throw new DataFileDamage(`page ${number} is from a transaction that never was`);
  }
}

/** The places of a page's nodes, all of which lie within it, side by side, up to its end. */
function nodesOf(page: Buffer, number: number, isLeaf: boolean): number[] {
  const bad = () => new DataFileDamage(`page ${number} has nodes out of place`);
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  const space = page.length - PAGE_HEADER;
  if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > space) throw bad();
  const nodes: number[] = [];
  let total = 0;
  for (let at = PAGE_HEADER; at < PAGE_HEADER + lower; at += 2) {
    const node = PAGE_HEADER + page.readUInt16LE(at);
    if (node % 2 !== 0 || node < PAGE_HEADER + upper || node + NODE_HEADER > page.length)
      throw bad();
    const length = nodeLength(page, node, isLeaf);
    if (node + length > page.length) throw bad();
    total += length + (length % 2);
    nodes.push(node);
  }
  if (total !== space - upper) throw bad();
  return nodes;
}

function nodeLength(page: Buffer, node: number, isLeaf: boolean): number {
  const length = NODE_HEADER + page.readUInt16LE(node + 6);
  if (!isLeaf) return length;
  const flags = page.readUInt16LE(node + 4);
  if (flags === NODE_IS_BIG) return length + BIG_NODE_LENGTH;
  if (flags !== 0) throw new DataFileDamage('a record is of an unknown kind');
  return length + page.readUInt32LE(node);
}

function keyOf(page: Buffer, node: number): Uint8Array {
  const at = node + NODE_HEADER;
  return page.subarray(at, at + page.readUInt16LE(node + 6));
}

function childOf(page: Buffer, node: number): number {
  return page.readUInt16LE(node + 4) * 2 ** 32 + page.readUInt32LE(node);
}

function readTreeRoot(meta: Buffer, at: number): TreeRoot {
  return {
    flags: meta.readUInt16LE(at + 4),
    depth: meta.readUInt16LE(at + 6),
    branchPages: readU64(meta, at + 8),
    leafPages: readU64(meta, at + 16),
    overflowPages: readU64(meta, at + 24),
    entries: readU64(meta, at + 32),
    root: readS64(meta, at + 40),
  };
}

function compareTransactions(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== 8 || b.length !== 8) throw new DataFileDamage('the free list has a wrong key');
  return readU64(Buffer.from(a), 0) - readU64(Buffer.from(b), 0);
}

function readU64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function readS64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigInt64LE(at));
}

function readFully(fd: number, into: Buffer, length: number, at: number, what: string): void {
  if (readSync(fd, into, 0, length, at) !== length)
    throw new DataFileDamage(`the file is cut short in ${what}`);
}

function pageSizeOf(metas: Buffer): number {
  const size = metas.readUInt32LE(PAGE_HEADER + FREE_DB);
  if (size < 4096 || size > 65_536 || (size & (size - 1)) !== 0)
    throw new DataFileDamage('the first meta page has no page size');
  return size;
}

/** The two meta pages of the data file: what they mean, not their padding. */
export function readMetas(fd: number): Buffer {
  const metas = Buffer.alloc(METAS_LENGTH);
  readFully(fd, metas, META_LENGTH, 0, 'the first meta page');
  const second = metas.subarray(META_LENGTH);
  readFully(fd, second, META_LENGTH, pageSizeOf(metas), 'the second meta page');
  return metas;
}

/** Puts meta pages back that `readMetas` gave, and waits until they are on the disk. */
export function restoreMetas(path: string, metas: Buffer): void {
  const fd = openSync(path, 'r+');
  try {
    writeMetas(fd, metas);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeMetas(fd: number, metas: Buffer): void {
  writeSync(fd, metas, 0, META_LENGTH, 0);
  writeSync(fd, metas, META_LENGTH, META_LENGTH, pageSizeOf(metas));
}

/** The newest transaction that meta pages speak of. */
export function transactionOf(metas: Buffer): number {
  const at = PAGE_HEADER + 128;
  return Math.max(readU64(metas, at), readU64(metas, META_LENGTH + at));
}

/**
 * Writes all pages again, as they are, that are in use and were written after `transaction`.
 * @param visit given each record
 * @throws DataFileDamage
 */
export function writePagesAgain(path: string, transaction: number, visit: Visitor): void {
  const fd = openSync(path, 'r+');
  try {
    const metas = readMetas(fd);
    const writeAgain: PageVisitor = (writtenBy, pages, position) => {
      if (writtenBy > transaction) writeSync(fd, pages, 0, pages.length, position);
    };
    new Walk(fd, writeAgain).run(visit, metas);
    writeMetas(fd, metas);
  } finally {
    closeSync(fd);
  }
}

/**
 * Follows everything in LMDB's data file at `path`, and gives each of its records to `visit`, in the order of their keys.
 * The bytes are lent for the call only.
 * @param metas to be used instead of those in the file
 * @returns how many records there are
 * @throws DataFileDamage
 */
export function walkDataFile(path: string, visit: Visitor, metas?: Buffer): number {
  const fd = openSync(path, 'r');
  try {
    return new Walk(fd).run(visit, metas ?? readMetas(fd));
  } finally {
    closeSync(fd);
  }
}
