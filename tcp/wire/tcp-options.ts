/** Kinds (IANA, TCP Option Kind Numbers). */
const END_OF_LIST = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;
const USER_TIMEOUT = 28;

const MSS_LENGTH = 4;
const WINDOW_SCALE_LENGTH = 3;
const SACK_PERMITTED_LENGTH = 2;
const SACK_BLOCK_LENGTH = 8;
const TIMESTAMPS_LENGTH = 10;
const USER_TIMEOUT_LENGTH = 4;

/** What it takes of a segment, bytes. */
export const USER_TIMEOUT_SIZE = USER_TIMEOUT_LENGTH;
/** The granularity bit: minutes, not seconds. */
const IN_MINUTES = 0x8000;
const MOST_UNITS = 0x7fff;

/** Two of them, to fill half a word. */
const NOPS = (NO_OPERATION << 8) | NO_OPERATION;

/** Bytes of options that a header can have: its data offset is at most 15 words. */
export const MAX_TCP_OPTIONS_LENGTH = 40;
/** As many as fit with no other option beside them (RFC 2018 section 3). */
export const MAX_SACK_BLOCKS = 4;
/** The largest shift; a larger one received counts as this (RFC 7323 section 2.3). */
export const MAX_WINDOW_SCALE = 14;

/**
 * The options of one segment, to be filled again for each. MSS, window scale and SACK-permitted mean something only
 * in a segment with SYN; the reader leaves that to the caller.
 */
export class TcpOptions {
  hasMss = false;
  /** Bytes; as received, so it may be 0 (RFC 9293 section 3.7.1). */
  mss = 0;
  hasWindowScale = false;
  /** 0 to `MAX_WINDOW_SCALE` (RFC 7323 section 2). */
  windowScale = 0;
  /** RFC 2018 section 2. */
  sackPermitted = false;
  hasTimestamps = false;
  /** TSval, u32 (RFC 7323 section 3). */
  timestampValue = 0;
  /** TSecr, u32. */
  timestampEcho = 0;
  hasUserTimeout = false;
  /** Milliseconds, above 0 (RFC 5482 section 2). */
  userTimeout = 0;
  /** How many SACK blocks there are. */
  sackCount = 0;
  /** Left and right edge of each block, sequence numbers; the most recent block first (RFC 2018 section 3). */
  readonly sackEdges = new Uint32Array(2 * MAX_SACK_BLOCKS);

  clear(): void {
    this.hasMss = false;
    this.hasWindowScale = false;
    this.sackPermitted = false;
    this.hasTimestamps = false;
    this.hasUserTimeout = false;
    this.sackCount = 0;
  }
}

/**
 * Reads the options at view[offset, offset + length). Kinds unknown are skipped by their length (RFC 9293 section 3.1,
 * MUST-6), and so are known kinds whose length is not what their RFC says.
 * @returns false when a length is illegal (MUST-7): below 2, or past the end. What stood before it is in `into`.
 */
export function parseTcpOptions(
  view: DataView,
  offset: number,
  length: number,
  into: TcpOptions,
): boolean {
  into.clear();
  const end = offset + length;
  let at = offset;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === END_OF_LIST) return true;
    if (kind === NO_OPERATION) {
      at++;
      continue;
    }
    if (at + 1 >= end) return false;
    const size = view.getUint8(at + 1);
    if (size < 2 || at + size > end) return false;
    readOption(view, at + 2, kind, size, into);
    at += size;
  }
  return true;
}

function readOption(
  view: DataView,
  value: number,
  kind: number,
  size: number,
  into: TcpOptions,
): void {
  if (kind === TIMESTAMPS && size === TIMESTAMPS_LENGTH) {
    into.hasTimestamps = true;
    into.timestampValue = view.getUint32(value);
    into.timestampEcho = view.getUint32(value + 4);
  } else if (kind === SACK && size > 2 && (size - 2) % SACK_BLOCK_LENGTH === 0) {
    // An option of 40 bytes has room for 4 blocks and no more, so they fit.
    into.sackCount = (size - 2) / SACK_BLOCK_LENGTH;
    for (let edge = 0; edge < 2 * into.sackCount; edge++) {
      into.sackEdges[edge] = view.getUint32(value + 4 * edge);
    }
  } else if (kind === MAXIMUM_SEGMENT_SIZE && size === MSS_LENGTH) {
    into.hasMss = true;
    into.mss = view.getUint16(value);
  } else if (kind === WINDOW_SCALE && size === WINDOW_SCALE_LENGTH) {
    into.hasWindowScale = true;
    into.windowScale = Math.min(view.getUint8(value), MAX_WINDOW_SCALE);
  } else if (kind === SACK_PERMITTED && size === SACK_PERMITTED_LENGTH) {
    into.sackPermitted = true;
  } else if (kind === USER_TIMEOUT && size === USER_TIMEOUT_LENGTH) {
    readUserTimeout(view.getUint16(value), into);
  }
}

/** A timeout of zero means nothing (RFC 5482 section 2). */
function readUserTimeout(field: number, into: TcpOptions): void {
  const units = field & MOST_UNITS;
  into.hasUserTimeout = units !== 0;
  into.userTimeout = units * (field & IN_MINUTES ? 60_000 : 1000);
}

/** In seconds as far as these go, and rounded up. */
function userTimeoutField(milliseconds: number): number {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds <= MOST_UNITS) return seconds;
  return IN_MINUTES | Math.min(MOST_UNITS, Math.ceil(seconds / 60));
}

/** How many bytes `emitTcpOptions` will write: a multiple of 4, at most `MAX_TCP_OPTIONS_LENGTH`. */
export function tcpOptionsLength(options: TcpOptions): number {
  const sacks = sackBlocksThatFit(options);
  return lengthBeforeSack(options) + (sacks === 0 ? 0 : 4 + sacks * SACK_BLOCK_LENGTH);
}

/**
 * Writes `options` at view[offset ...] in the order of Linux (net/ipv4/tcp_output.c, tcp_options_write), which
 * middleboxes have seen most. Every option, with the padding before it, fills whole words. Of the SACK blocks it
 * writes the first ones, as many as there is room for.
 * @returns how many bytes it has
 */
export function emitTcpOptions(view: DataView, offset: number, options: TcpOptions): number {
  let at = offset;
  if (options.hasMss) {
    view.setUint32(at, (MAXIMUM_SEGMENT_SIZE << 24) | (MSS_LENGTH << 16) | options.mss);
    at += 4;
  }
  if (options.hasTimestamps) {
    view.setUint16(at, options.sackPermitted ? word(SACK_PERMITTED, SACK_PERMITTED_LENGTH) : NOPS);
    view.setUint16(at + 2, word(TIMESTAMPS, TIMESTAMPS_LENGTH));
    view.setUint32(at + 4, options.timestampValue);
    view.setUint32(at + 8, options.timestampEcho);
    at += 12;
  } else if (options.sackPermitted) {
    view.setUint16(at, NOPS);
    view.setUint16(at + 2, word(SACK_PERMITTED, SACK_PERMITTED_LENGTH));
    at += 4;
  }
  if (options.hasWindowScale) {
    view.setUint16(at, word(NO_OPERATION, WINDOW_SCALE));
    view.setUint16(at + 2, word(WINDOW_SCALE_LENGTH, options.windowScale));
    at += 4;
  }
  if (options.hasUserTimeout) {
    view.setUint16(at, word(USER_TIMEOUT, USER_TIMEOUT_LENGTH));
    view.setUint16(at + 2, userTimeoutField(options.userTimeout));
    at += 4;
  }
  const sacks = sackBlocksThatFit(options);
  if (sacks > 0) {
    view.setUint16(at, NOPS);
    view.setUint16(at + 2, word(SACK, 2 + sacks * SACK_BLOCK_LENGTH));
    at += 4;
    for (let edge = 0; edge < 2 * sacks; edge++, at += 4) {
      view.setUint32(at, options.sackEdges[edge]!);
    }
  }
  return at - offset;
}

function lengthBeforeSack(options: TcpOptions): number {
  return (
    (options.hasMss ? 4 : 0) +
    (options.sackPermitted || options.hasTimestamps ? 4 : 0) +
    (options.hasTimestamps ? 8 : 0) +
    (options.hasWindowScale ? 4 : 0) +
    (options.hasUserTimeout ? USER_TIMEOUT_SIZE : 0)
  );
}

function sackBlocksThatFit(options: TcpOptions): number {
  const room = MAX_TCP_OPTIONS_LENGTH - lengthBeforeSack(options) - 4;
  return Math.min(options.sackCount, Math.floor(room / SACK_BLOCK_LENGTH));
}

function word(first: number, second: number): number {
  return (first << 8) | second;
}
