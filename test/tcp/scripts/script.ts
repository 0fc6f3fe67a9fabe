/** A script as read from its file: what it is about, and what is done line by line. */
export interface Script {
  readonly path: string;
  readonly title: string;
  /** The RFC and section that say what must happen. */
  readonly source: string;
  /** Requirement IDs, such as MUST-13 of RFC 9293 Appendix B. */
  readonly covers: readonly string[];
  /** Why it cannot run yet; undefined: it runs. */
  readonly pending: string | undefined;
  /** Options of the stack, by name. */
  readonly stack: ReadonlyMap<string, string>;
  /** The peer's initial sequence number. */
  readonly peerIsn: number;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly number: number;
  readonly text: string;
  /** Milliseconds after the line before: from, to. */
  readonly after: readonly [number, number];
  /** Which connection it is about. */
  readonly flow: string;
  /** `<`, `>`, or the name of a call or check. */
  readonly verb: string;
  readonly words: readonly string[];
}

/** A line that is not in the notation. */
export class ScriptError extends Error {
  constructor(path: string, number: number, what: string) {
    super(`${path}:${number}: ${what}`);
    this.name = 'ScriptError';
  }
}

const TIME = /^\+(\d+(?:\.\d+)?)(?:\.\.(\d+(?:\.\d+)?))?$/;
const ARROW = /^([a-z]*)([<>])$/;
const CALL = /^(?:([a-z]+)\.)?([a-z-]+)$/;

/** The connection that a line is about if it does not say. */
export const FIRST_FLOW = 'a';

export function parseScript(path: string, text: string): Script {
  let title: string | undefined;
  let source: string | undefined;
  let pending: string | undefined;
  let peerIsn = 0x1000_0000;
  const covers: string[] = [];
  const stack = new Map<string, string>();
  const lines: Line[] = [];
  let repeated = { times: 0, from: 0 };

  text.split('\n').forEach((raw, index) => {
    const number = index + 1;
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    if (line === '') return;
    const words = line.split(/\s+/);
    const rest = line.slice(words[0]!.length).trim();
    switch (words[0]) {
      case 'title':
        title = rest;
        return;
      case 'source':
        source = rest;
        return;
      case 'covers':
        covers.push(...rest.split(/[\s,]+/));
        return;
      case 'pending':
        pending = rest;
        return;
      case 'peer-isn':
        peerIsn = Number(rest);
        return;
      case 'stack':
        for (let i = 1; i < words.length; i += 2) stack.set(words[i]!, words[i + 1] ?? '');
        return;
    }
    if (words[0] === 'open') lines.push(...openLines(path, number, line, words.slice(1)));
    else if (words[0] === 'repeat') repeated = { times: Number(rest), from: lines.length };
    else if (words[0] === 'end') {
      const block = lines.slice(repeated.from);
      for (let i = 1; i < repeated.times; i++) lines.push(...block);
    } else lines.push(parseLine(path, number, line, words));
  });
  if (title === undefined || source === undefined) {
    throw new ScriptError(path, 1, 'a script says its title and source');
  }
  return { path, title, source, covers, pending, stack, peerIsn, lines };
}

function parseLine(path: string, number: number, text: string, words: string[]): Line {
  const rest = [...words];
  let after: [number, number] = [0, 0];
  const time = TIME.exec(rest[0]!);
  if (time !== null) {
    after = [Number(time[1]), Number(time[2] ?? time[1])];
    rest.shift();
  }
  const word = rest.shift() ?? '';
  const arrow = ARROW.exec(word);
  const call = CALL.exec(word);
  const [, flow, verb] = arrow ?? call ?? [];
  if (verb === undefined) throw new ScriptError(path, number, `no time, segment or call: ${text}`);
  return { number, text, after, flow: flow || FIRST_FLOW, verb, words: rest };
}

/**
 * `open passive|active [rtt MS] [win N] [OPTIONS]`: the handshake, for scripts about what comes later.
 */
function openLines(path: string, number: number, text: string, words: string[]): Line[] {
  const [kind, ...rest] = words;
  let rtt = '0';
  let win = '65535';
  const options: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    if (rest[i] === 'rtt') rtt = rest[++i]!;
    else if (rest[i] === 'win') win = rest[++i]!;
    else options.push(rest[i]!);
  }
  const withOptions = options.join(' ');
  const has = (name: string) => options.includes(name);
  const echo = has('ts')
    ? ` ts ${Number(options[options.indexOf('ts') + 1]!.split(':')[0]) + Number(rtt)}:0`
    : '';
  const passive = [
    'listen 8',
    `< SYN 0 win ${win} ${withOptions}`,
    '> SYN,ACK 0 ack 1',
    `+${rtt} < ACK 1 ack 1 win ${win}${echo}`,
    'accept',
  ];
  const active = [
    'connect',
    '> SYN 0',
    `+${rtt} < SYN,ACK 0 ack 1 win ${win} ${withOptions}`,
    '> ACK 1 ack 1',
  ];
  const chosen = kind === 'passive' ? passive : kind === 'active' ? active : undefined;
  if (chosen === undefined) throw new ScriptError(path, number, 'open passive or open active');
  return chosen.map((line) =>
    parseLine(path, number, `${text}  (${line})`, line.trim().split(/\s+/)),
  );
}
