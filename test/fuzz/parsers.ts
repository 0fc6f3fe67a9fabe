import { finishChecksum, onesComplementSum } from '../../tcp/wire/checksum.ts';
import { IcmpMessage, parseIcmp } from '../../tcp/wire/icmp.ts';
import { type IpHeader, ipVersion } from '../../tcp/wire/ip.ts';
import { Ipv4Header, parseIpv4, parseQuotedIpv4 } from '../../tcp/wire/ipv4.ts';
import { Ipv6Header, Problem, parseIpv6, parseQuotedIpv6 } from '../../tcp/wire/ipv6.ts';
import { parseTcp, TcpHeader } from '../../tcp/wire/tcp.ts';
import {
  emitTcpOptions,
  MAX_TCP_OPTIONS_LENGTH,
  parseTcpOptions,
  TcpOptions,
  tcpOptionsLength,
} from '../../tcp/wire/tcp-options.ts';
import { parseUdp, UdpHeader } from '../../tcp/wire/udp.ts';
import { findUpperLayer } from '../../tcp/wire/upper-layer.ts';
import { writeIpv6 } from '../tcp/ipv6-packet.ts';
import { FLAG, PROTOCOL, writeIcmp, writeIp, writeTcp } from '../tcp/scripts/packet.ts';
import { writeUdp } from '../tcp/udp-datagram.ts';
import { extensions } from './extensions.ts';
import { Choices } from './input.ts';
import { Finding } from './invariants.ts';

const ip = new Ipv4Header();
const ipv6 = new Ipv6Header();
const tcp = new TcpHeader();
const icmp = new IcmpMessage();
const udp = new UdpHeader();
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

  checkUpperLayer(view, length);
  checkIpv6(view, length);
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
    if (parseIcmp(view, ip.headerLength, payloadLength, 0, icmp)) {
      check(
        icmp.payloadOffset + icmp.payloadLength === ip.totalLength,
        'the quote ends with the packet',
      );
      parseQuotedIpv4(view, icmp.payloadOffset, icmp.payloadLength, ip);
    }
    if (parseIpv4(view, 0, length, ip)) checkUdp(view, ip);
  }
  parseQuotedIpv4(view, 0, length, ip);
  const optionsEnd = Math.min(length, MAX_TCP_OPTIONS_LENGTH);
  parseTcpOptions(view, length - optionsEnd, optionsEnd, options);
  checkOptions(options);
  return 1;
}

function checkIpv6(view: DataView, length: number): void {
  if (!parseIpv6(view, 0, length, ipv6)) {
    check(
      ipv6.problem === Problem.NONE || (ipv6.problemAt >= 0 && ipv6.problemAt < length),
      'what is the matter is in the packet',
    );
    return;
  }
  const { headerLength, totalLength, protocolAt, isFragment, unfragmentableLength } = ipv6;
  check(headerLength >= 40 && headerLength <= totalLength, 'the headers are within the packet');
  check(totalLength <= length, 'the packet is within what was read');
  check(protocolAt < headerLength, 'the headers say what follows');
  check(!isFragment || unfragmentableLength === headerLength - 8, 'a fragment header is the last');
  const payloadLength = totalLength - headerLength;
  checkUdp(view, ipv6);
  const sum = finishChecksum(onesComplementSum(view, headerLength, payloadLength));
  parseTcp(view, headerLength, payloadLength, sum, tcp);
  if (parseIcmp(view, headerLength, payloadLength, sum, icmp)) {
    check(icmp.payloadOffset + icmp.payloadLength === totalLength, 'the quote ends with it');
    parseQuotedIpv6(view, icmp.payloadOffset, icmp.payloadLength, ipv6);
  }
  parseQuotedIpv6(view, 0, length, ipv6);
}

/** What is read of UDP is in the packet, and whatever has no checksum is read if its lengths allow it, over IPv4 alone. */
function checkUdp(
  view: DataView,
  { headerLength, totalLength, source, destination }: IpHeader,
): void {
  const length = totalLength - headerLength;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + headerLength, length).slice();
  for (const isSummed of [true, false]) {
    const copy = new DataView(bytes.buffer);
    if (!isSummed && length >= 8) copy.setUint16(6, 0);
    const isGood = parseUdp(copy, 0, length, source, destination, false, udp);
    if (!isSummed && length >= 8) {
      const says = copy.getUint16(4);
      check(
        isGood === (source.isIpv4 && says >= 8 && says <= length),
        'a checksum may be left out',
      );
    }
    if (!isGood) continue;
    check(udp.payloadOffset === 8 && udp.payloadLength >= 0, 'the payload is behind the header');
    check(udp.payloadOffset + udp.payloadLength <= length, 'the payload is within the packet');
  }
}

/** The two ways of reading the headers of one packet agree. */
function checkUpperLayer(view: DataView, length: number): void {
  const is6 = ipVersion(view, 0, length) === 6;
  const isGood = is6 ? parseIpv6(view, 0, length, ipv6) : parseIpv4(view, 0, length, ip);
  const header = is6 ? ipv6 : ip;
  if (!isGood || header.isFragment) return;
  const upper = findUpperLayer(view, 0, header.totalLength);
  check(upper !== undefined, 'what is whole has all its headers');
  check(
    upper!.protocol === header.protocol && upper!.at === header.headerLength,
    'the headers end where they end',
  );
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
  const isUdp = kind === 2;
  const isIcmp = kind === 1;
  const payload = isIcmp
    ? writeIcmp({
        type: choices.pick([1, 2, 3, 4, 8, 11, 12, 128, choices.byte()]),
        code: choices.below(16),
        rest: choices.u32(),
        payload: inner,
      })
    : isUdp
      ? makeUdp(segment.sourcePort, segment.destinationPort, text)
      : inner;
  const protocol = isUdp ? PROTOCOL.udp : PROTOCOL.tcp;
  for (let changes = choices.pick([0, 0, 1, 2, 5]); changes > 0; changes--) {
    payload[choices.below(payload.length)]! ^= 1 << choices.below(8);
  }
  const packet = choices.chance(128)
    ? makeIpv6(choices, isIcmp ? 58 : protocol, payload)
    : makeIpv4(choices, isIcmp ? 1 : protocol, payload);
  for (let changes = choices.pick([0, 0, 0, 1, 2]); changes > 0; changes--) {
    packet[choices.below(packet.length)]! ^= 1 << choices.below(8);
  }
  return choices.chance(30) ? packet.slice(0, choices.below(packet.length + 1)) : packet;
}

function makeUdp(sourcePort: number, destinationPort: number, payload: Uint8Array): Uint8Array {
  const ends = { source: '10.7.0.1', destination: '10.7.0.2' };
  return writeUdp({ ...ends, sourcePort, destinationPort, payload });
}

function makeIpv6(choices: Choices, protocol: number, payload: Uint8Array): Uint8Array {
  return writeIpv6({
    source: 'fd00:7::1',
    destination: 'fd00:7::2',
    extensions: extensions(choices),
    protocol,
    payload,
  });
}

function makeIpv4(choices: Choices, protocol: number, payload: Uint8Array): Uint8Array {
  return writeIp({
    source: '10.7.0.1',
    destination: '10.7.0.2',
    protocol,
    tos: 0,
    ttl: 64,
    dontFragment: choices.chance(128),
    moreFragments: choices.chance(20),
    options: new Uint8Array(4 * choices.pick([0, 0, 0, 1, 10])),
    payload,
  });
}
