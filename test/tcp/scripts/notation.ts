import { type FragmentNotation, parseFragments } from './fragments.ts';
import { FLAG, type FlagName, type TcpOption } from './packet.ts';

/** What a number may be: `7`, `*`, `>7`, `>=7`, `<7`, `<=7` or `3..7`. */
export interface NumberPattern {
  readonly low: number;
  readonly high: number;
}

const ANY: NumberPattern = { low: -Infinity, high: Infinity };

export function parseNumberPattern(text: string): NumberPattern {
  if (text === '*') return ANY;
  const range = /^(-?[\d.]+)\.\.(-?[\d.]+)$/.exec(text);
  if (range !== null) return { low: number(range[1]!), high: number(range[2]!) };
  const [, comparison, digits] = /^([<>]=?)?(-?[\d.]+)$/.exec(text) ?? [];
  if (digits === undefined) throw new Error(`no number: ${text}`);
  const value = number(digits);
  switch (comparison) {
    case '>':
      return { low: value + 1, high: Infinity };
    case '>=':
      return { low: value, high: Infinity };
    case '<':
      return { low: -Infinity, high: value - 1 };
    case '<=':
      return { low: -Infinity, high: value };
    default:
      return { low: value, high: value };
  }
}

export function fits(pattern: NumberPattern, value: number): boolean {
  return value >= pattern.low && value <= pattern.high;
}

export function number(text: string): number {
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new Error(`no number: ${text}`);
  return value;
}

/** A sequence number: counted from the initial one of its side, or with `=` before it as it stands in the header. */
export interface Sequence {
  readonly value: number;
  readonly isAbsolute: boolean;
}

export interface SackBlock {
  readonly left: number;
  readonly right: number;
}

/** A segment as a line of a script describes it. What it does not mention is undefined. */
export interface SegmentNotation {
  flags: number;
  /** Flags that are said to be absent. */
  absentFlags: number;
  seq: Sequence;
  /** Bytes of text. */
  length: number;
  /** Bytes of text of each of several segments that follow each other. */
  by: number | undefined;
  ack: Sequence | undefined;
  win: NumberPattern | undefined;
  urgent: NumberPattern | undefined;
  tos: NumberPattern | undefined;
  ttl: NumberPattern | undefined;
  mss: NumberPattern | undefined;
  wscale: NumberPattern | undefined;
  /** User timeout, seconds. */
  uto: NumberPattern | undefined;
  sackPermitted: boolean;
  sack: SackBlock[] | undefined;
  timestamp: { value: NumberPattern; echo: NumberPattern } | undefined;
  /** Names of options that are said to be absent. */
  absentOptions: Set<string>;
  /** Options exactly as they are to stand in the header. */
  rawOptions: Uint8Array | undefined;
  ipOptions: Uint8Array | undefined;
  source: string | undefined;
  destination: string | undefined;
  /** What arrives of it, and in which order. */
  fragments: FragmentNotation[] | undefined;
  /** What is wrong with it on purpose. */
  faults: Set<string>;
}

export const OPTION_KIND: Readonly<Record<string, number>> = {
  mss: 2,
  wscale: 3,
  'sack-ok': 4,
  sack: 5,
  ts: 8,
  uto: 28,
};

const FAULTS = new Set(['bad-checksum', 'bad-ip-checksum', 'more-fragments', 'short']);

/** Parses `FLAGS SEQ[:END] [ack N] [win N] ...`, as the README of this folder has it. */
export function parseSegment(words: readonly string[]): SegmentNotation {
  const [flagWord = '', seqWord = '', ...rest] = words;
  const [from = '', to] = seqWord.split(':');
  const seq = parseSequence(from);
  const segment: SegmentNotation = {
    flags: 0,
    absentFlags: 0,
    seq,
    length: to === undefined ? 0 : number(to.replace('=', '')) - seq.value,
    by: undefined,
    ack: undefined,
    win: undefined,
    urgent: undefined,
    tos: undefined,
    ttl: undefined,
    mss: undefined,
    wscale: undefined,
    uto: undefined,
    sackPermitted: false,
    sack: undefined,
    timestamp: undefined,
    absentOptions: new Set(),
    rawOptions: undefined,
    ipOptions: undefined,
    source: undefined,
    destination: undefined,
    fragments: undefined,
    faults: new Set(),
  };
  parseFlags(flagWord, segment);
  const words_ = [...rest];
  for (;;) {
    const word = words_.shift();
    if (word === undefined) return segment;
    const next = () => {
      const value = words_.shift();
      if (value === undefined) throw new Error(`${word} needs a value`);
      return value;
    };
    parseAttribute(segment, word, next);
  }
}

function parseFlags(word: string, segment: SegmentNotation): void {
  if (word === 'none') return;
  for (const name of word.split(',')) {
    const isAbsent = name.startsWith('!');
    const flag = FLAG[name.replace('!', '') as FlagName];
    if (flag === undefined) throw new Error(`no flag of TCP: ${name}`);
    if (isAbsent) segment.absentFlags |= flag;
    else segment.flags |= flag;
  }
}

function parseAttribute(segment: SegmentNotation, word: string, next: () => string): void {
  if (word.startsWith('!')) {
    segment.absentOptions.add(word.slice(1));
    return;
  }
  switch (word) {
    case 'ack':
      segment.ack = parseSequence(next());
      break;
    case 'by':
      segment.by = number(next());
      break;
    case 'win':
      segment.win = parseNumberPattern(next());
      break;
    case 'urgent':
      segment.urgent = parseNumberPattern(next());
      break;
    case 'tos':
      segment.tos = parseNumberPattern(next());
      break;
    case 'ttl':
      segment.ttl = parseNumberPattern(next());
      break;
    case 'mss':
      segment.mss = parseNumberPattern(next());
      break;
    case 'wscale':
      segment.wscale = parseNumberPattern(next());
      break;
    case 'uto':
      segment.uto = parseNumberPattern(next());
      break;
    case 'sack-ok':
      segment.sackPermitted = true;
      break;
    case 'sack':
      segment.sack = next()
        .split(',')
        .map((block) => {
          const [left = '', right = ''] = block.split(':');
          return { left: number(left), right: number(right) };
        });
      break;
    case 'ts': {
      const [value = '', echo = ''] = next().split(':');
      segment.timestamp = { value: parseNumberPattern(value), echo: parseNumberPattern(echo) };
      break;
    }
    case 'options':
      segment.rawOptions = parseHex(next());
      break;
    case 'ip-options':
      segment.ipOptions = parseHex(next());
      break;
    case 'from':
      segment.source = next();
      break;
    case 'to':
      segment.destination = next();
      break;
    case 'fragments':
      segment.fragments = parseFragments(next());
      break;
    default:
      if (!FAULTS.has(word)) throw new Error(`no word of the notation: ${word}`);
      segment.faults.add(word);
  }
}

function parseSequence(text: string): Sequence {
  const isAbsolute = text.startsWith('=');
  return { value: number(isAbsolute ? text.slice(1) : text), isAbsolute };
}

function parseHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

export function formatFlags(flags: number): string {
  const names = (Object.keys(FLAG) as FlagName[]).filter((name) => flags & FLAG[name]);
  // The way the RFCs say it: SYN,ACK and not ACK,SYN.
  return names.length === 0
    ? 'none'
    : names.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).join(',');
}

const ORDER: FlagName[] = ['SYN', 'FIN', 'RST', 'PSH', 'URG', 'ECE', 'CWR', 'ACK'];

export function findOption(options: readonly TcpOption[], name: string): Uint8Array | undefined {
  return options.find(({ kind }) => kind === OPTION_KIND[name])?.data;
}
