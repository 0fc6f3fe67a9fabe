import { finishChecksum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import { Icmpv4Message, parseIcmpv4 } from '../../tcp/wire/icmpv4.ts';
import { Ipv4Header, parseIpv4, parseQuotedIpv4 } from '../../tcp/wire/ipv4.ts';
import { parseTcp, TcpHeader } from '../../tcp/wire/tcp.ts';
import {
  emitTcpOptions,
  MAX_TCP_OPTIONS_LENGTH,
  parseTcpOptions,
  TcpOptions,
  tcpOptionsLength,
} from '../../tcp/wire/tcp-options.ts';
import { FLAG, writeIcmp, writeIp, writeTcp } from '../tcp/scripts/packet.ts';
import { Choices } from './input.ts';
import { Finding } from './invariants.ts';

const ip = new Ipv4Header();
const tcp = new TcpHeader();
const icmp = new Icmpv4Message();
const options = new TcpOptions();
const again = new TcpOptions();

function check(condition: boolean, what: string): void {
  if (!condition) throw new Finding(what);
}

/**
 * One packet through every parser of the wire formats, in a view that ends where it ends, so that a read outside throws.
 * @returns 1
 */
export function fuzzParsers(bytes: Uint8Array): number {
  const choices = new Choices(bytes);
  const packet = makePacket(choices);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const { length } = packet;

  if (parseIpv4(view, 0, length, ip)) {
    check(
      ip.headerLength >= 20 && ip.headerLength <= ip.totalLength,
      'the IP header is within the packet',
    );
    check(ip.totalLength <= length, 'the packet is within what was read');
    const payloadLength = ip.totalLength - ip.headerLength;
    // A sum that makes the checksum right, whatever the bytes are: what is behind that check wants to be seen.
    const sum = finishChecksum(onesComplementSum(view, ip.headerLength, payloadLength));
    if (parseTcp(view, ip.headerLength, payloadLength, sum, tcp)) {
      check(
        tcp.payloadOffset + tcp.payloadLength === ip.totalLength,
        'the text ends with the packet',
      );
      check(tcp.payloadLength >= 0 && tcp.SEG_LEN >= tcp.payloadLength, 'SEG.LEN counts the text');
      checkOptions(tcp.options);
    }
    if (parseIcmpv4(view, ip.headerLength, payloadLength, icmp)) {
      check(
        icmp.payloadOffset + icmp.payloadLength === ip.totalLength,
        'the quote ends with the packet',
      );
      parseQuotedIpv4(view, icmp.payloadOffset, icmp.payloadLength, ip);
    }
  }
  parseQuotedIpv4(view, 0, length, ip);
  const optionsEnd = Math.min(length, MAX_TCP_OPTIONS_LENGTH);
  parseTcpOptions(view, length - optionsEnd, optionsEnd, options);
  checkOptions(options);
  return 1;
}

/** Options that were read are written and read again the same. */
function checkOptions(read: TcpOptions): void {
  check(read.sackCount >= 0 && read.sackCount <= 4, 'there are at most 4 SACK blocks');
  check(!read.hasWindowScale || read.windowScale <= 14, 'a window scale is at most 14');
  const length = tcpOptionsLength(read);
  check(
    length % 4 === 0 && length <= MAX_TCP_OPTIONS_LENGTH,
    'options fill whole words, 10 at most',
  );
  const view = new DataView(new ArrayBuffer(length));
  check(emitTcpOptions(view, 0, read) === length, 'options are as long as was said');
  check(parseTcpOptions(view, 0, length, again), 'our own options are legal');
  check(
    read.hasMss === again.hasMss &&
      (!read.hasMss || read.mss === again.mss) &&
      read.hasWindowScale === again.hasWindowScale &&
      (!read.hasWindowScale || read.windowScale === again.windowScale) &&
      read.sackPermitted === again.sackPermitted &&
      read.hasTimestamps === again.hasTimestamps &&
      again.sackCount <= read.sackCount,
    'options come back as they were written',
  );
}

/** A packet with the structure of one, and some of it wrong. */
function makePacket(choices: Choices): Uint8Array {
  const kind = choices.below(8);
  if (kind === 0) return Uint8Array.from({ length: choices.below(200) }, () => choices.byte());
  const text = new Uint8Array(choices.pick([0, 0, 1, 7, 40]));
  const optionBytes = Uint8Array.from({ length: 4 * choices.below(11) }, () =>
    choices.chance(160) ? choices.pick([0, 1, 2, 3, 4, 5, 8, 10, 18, 26, 34]) : choices.byte(),
  );
  const segment = {
    sourcePort: choices.below(65536),
    destinationPort: choices.below(65536),
    seq: choices.u32(),
    ack: choices.u32(),
    flags: choices.chance(128) ? choices.byte() : FLAG.ACK,
    win: choices.below(65536),
    urgent: 0,
    options: [],
    text,
  };
  const inner = writeTcp(segment, '10.7.0.1', '10.7.0.2', optionBytes);
  const isIcmp = kind === 1;
  const payload = isIcmp
    ? writeIcmp({
        type: choices.pick([3, 8, 11, 12, choices.byte()]),
        code: choices.below(16),
        rest: choices.u32(),
        payload: inner,
      })
    : inner;
  for (let changes = choices.pick([0, 0, 1, 2, 5]); changes > 0; changes--) {
    payload[choices.below(payload.length)]! ^= 1 << choices.below(8);
  }
  const packet = writeIp({
    source: '10.7.0.1',
    destination: '10.7.0.2',
    protocol: isIcmp ? 1 : 6,
    tos: 0,
    ttl: 64,
    dontFragment: choices.chance(128),
    moreFragments: choices.chance(20),
    options: new Uint8Array(4 * choices.pick([0, 0, 0, 1, 10])),
    payload,
  });
  for (let changes = choices.pick([0, 0, 0, 1, 2]); changes > 0; changes--) {
    packet[choices.below(packet.length)]! ^= 1 << choices.below(8);
  }
  return choices.chance(30) ? packet.slice(0, choices.below(packet.length + 1)) : packet;
}
