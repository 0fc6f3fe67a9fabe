import {
  type Answer,
  decode,
  encode,
  type Packet,
  RECURSION_DESIRED,
  type StringAnswer,
} from 'dns-packet';
import { formatAddress, parseAddress } from '../../tcp/address.ts';

/** The types of record that have addresses. */
export type AddressType = 'A' | 'AAAA';

/** Bits of the header's second half-word (RFC 1035 section 4.1.1). */
const QR = 1 << 15;
const OPCODE = 0xf << 11;
const TC = 1 << 9;
const RCODE = 0xf;

/** Response codes (RFC 1035 section 4.1.1). */
export const NOERROR = 0;
export const NXDOMAIN = 3;
const RCODE_NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** More aliases of aliases than this go round in circles. */
const MOST_ALIASES = 16;

/** What a server has answered to a question. */
export interface Reply {
  /** There is more than fits a datagram. */
  readonly isTruncated: boolean;
  readonly rcode: number;
  readonly addresses: readonly string[];
  /** The name that has them: the one that was asked for, or the last one that it is an alias of. */
  readonly canonicalName: string;
  /** For how many seconds all this holds. */
  readonly ttl: number;
}

/** @param name without a dot at its end, or only with that */
export function encodeQuestion(id: number, name: string, type: AddressType): Uint8Array {
  return encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ name, type }] });
}

/** What `bytes` say; undefined when they are no answer to this question (RFC 5452 section 9.1). */
export function parseReply(
  bytes: Uint8Array,
  id: number,
  name: string,
  type: AddressType,
): Reply | undefined {
  const packet = decoded(bytes);
  if (packet === undefined || packet.id !== id || !isReplyTo(packet, bytes, name, type)) {
    return undefined;
  }
  const flags = flagsOf(bytes);
  return {
    isTruncated: (flags & TC) !== 0,
    rcode: flags & RCODE,
    ...chain(packet, name, type),
  };
}

export function nameOfRcode(rcode: number): string {
  return RCODE_NAMES[rcode] ?? `response code ${rcode}`;
}

/** Whoever answers may say anything. */
function decoded(bytes: Uint8Array): Packet | undefined {
  try {
    return decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch {
    return undefined;
  }
}

function flagsOf(bytes: Uint8Array): number {
  return (bytes[2]! << 8) | bytes[3]!;
}

function isReplyTo(packet: Packet, bytes: Uint8Array, name: string, type: AddressType): boolean {
  if ((flagsOf(bytes) & (QR | OPCODE)) !== QR) return false;
  const [question, ...others] = packet.questions ?? [];
  if (question === undefined || others.length > 0) return false;
  return isSame(question.name, name) && question.type === type && question.class === 'IN';
}

/** Follows aliases as far as the answer tells of them (RFC 1034 section 5.3.3, step 4c). */
function chain(
  { answers = [], authorities = [] }: Packet,
  name: string,
  type: AddressType,
): Pick<Reply, 'addresses' | 'canonicalName' | 'ttl'> {
  let canonicalName = name;
  let ttl = Infinity;
  for (let aliases = 0; aliases < MOST_ALIASES; aliases++) {
    const alias = recordsOf(answers, canonicalName, 'CNAME')[0];
    if (alias === undefined) break;
    canonicalName = String(alias.data);
    ttl = Math.min(ttl, alias.ttl ?? 0);
  }
  const records = recordsOf(answers, canonicalName, type);
  for (const record of records) ttl = Math.min(ttl, record.ttl ?? 0);
  if (records.length === 0) ttl = Math.min(ttl, negativeTtl(authorities));
  const addresses = records.map(({ data }) => parseAddress(String(data)));
  return {
    addresses: addresses.filter((address) => address !== undefined).map(formatAddress),
    canonicalName,
    ttl,
  };
}

/** For how long there is nothing (RFC 2308 section 5). */
function negativeTtl(authorities: readonly Answer[]): number {
  for (const record of authorities) {
    if (record.type === 'SOA') return Math.min(record.ttl ?? 0, record.data.minimum ?? 0);
  }
  return 0;
}

function recordsOf(
  answers: readonly Answer[],
  name: string,
  type: AddressType | 'CNAME',
): StringAnswer[] {
  return answers.filter(
    (record): record is StringAnswer =>
      record.type === type && record.class === 'IN' && isSame(record.name, name),
  );
}

function isSame(a: string, b: string): boolean {
  return a.replace(/\.$/, '').toLowerCase() === b.replace(/\.$/, '').toLowerCase();
}
