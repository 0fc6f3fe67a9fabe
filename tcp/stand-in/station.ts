import { type IpAddress, parseAddress } from '../address.ts';
import { assert } from '../assert.ts';
import type { Egress } from '../egress.ts';
import { TokenBucket } from '../token-bucket.ts';
import { ARP_LENGTH, ARP_REPLY, ARP_REQUEST, ArpPacket, emitArp, parseArp } from '../wire/arp.ts';
import {
  BROADCAST,
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  EthernetHeader,
  emitEthernet,
  groupLinkAddress,
  parseEthernet,
} from '../wire/ethernet.ts';
import { IcmpMessage, parseIcmp } from '../wire/icmp.ts';
import { ICMPV6, PROTOCOL_ICMPV6 } from '../wire/icmpv6.ts';
import { Ipv6Header, parseIpv6 } from '../wire/ipv6.ts';
import {
  ALL_NODES,
  emitNeighborAdvertisement,
  NEIGHBOR_ADVERTISEMENT_LENGTH,
  solicitedNode,
  solicitedTarget,
} from '../wire/neighbor-discovery.ts';
import { Framed } from './framed.ts';
import type { StandIn } from './stand-in.ts';

/** To whoever asks for our link address. */
const ANSWERS_PER_SECOND = 100;

/**
 * When it is announced where the addresses are, milliseconds after the beginning: two announcements two seconds apart (RFC 5227 section
 * 2.3), and three advertisements a second apart or more (RFC 4861 section 7.2.6).
 */
const ARP_ANNOUNCEMENTS: readonly number[] = [0, 2000];
const ADVERTISEMENTS: readonly number[] = [0, 1000, 2000];

export interface StationOptions {
  /** Whose frames it takes, and where its own come from: 48 bits. */
  readonly linkAddress: number;
  /** The addresses that are there, as those of the stand-in. */
  readonly address: string;
  readonly address6?: string | undefined;
  /** Milliseconds of the clock that every `now` is of. */
  readonly now: number;
}

/**
 * A stand-in on Ethernet: it says where its addresses are, to all at first and then to whom asks (RFC 826, RFC 4861), and what it answers to
 * a frame goes to the station that the frame came from. So it need not ask anybody.
 */
export class Station {
  readonly #standIn: StandIn;
  readonly #linkAddress: number;
  readonly #address: IpAddress;
  readonly #address6: IpAddress | undefined;
  readonly #framed: Framed;
  readonly #bucket: TokenBucket;
  readonly #frame = new EthernetHeader();
  readonly #arp = new ArpPacket();
  readonly #header = new Ipv6Header();
  readonly #message = new IcmpMessage();
  /** When each is due, oldest first. */
  readonly #announcements: number[];
  readonly #advertisements: number[];

  constructor({ linkAddress, address, address6, now }: StationOptions, standIn: StandIn) {
    const ipv4 = parseAddress(address);
    assert(ipv4?.isIpv4 === true, 'the address is of IPv4');
    this.#standIn = standIn;
    this.#linkAddress = linkAddress;
    this.#address = ipv4;
    this.#address6 = address6 === undefined ? undefined : parseAddress(address6);
    this.#framed = new Framed(linkAddress);
    this.#bucket = new TokenBucket(ANSWERS_PER_SECOND, now);
    const from = (times: readonly number[]) => times.map((after) => now + after);
    this.#announcements = from(ARP_ANNOUNCEMENTS);
    this.#advertisements = this.#address6 === undefined ? [] : from(ADVERTISEMENTS);
  }

  /** When `tick` is next wanted; Infinity: never. */
  get deadline(): number {
    const [announcement = Infinity] = this.#announcements;
    const [advertisement = Infinity] = this.#advertisements;
    return Math.min(announcement, advertisement);
  }

  /** Announces what is due. */
  tick(now: number, egress: Egress): void {
    if (isDue(this.#announcements, now)) {
      this.#sendArp(BROADCAST, ARP_REQUEST, 0, this.#address.ipv4, egress);
    }
    if (isDue(this.#advertisements, now)) this.#advertise(ALL_NODES, ALL_NODES_LINK, egress);
  }

  /**
   * One frame, at bytes[offset, offset + length), which may be anything.
   * @param egress where the frame that answers it is written, if there is one
   */
  arrive(bytes: Uint8Array, offset: number, length: number, now: number, egress: Egress): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const frame = this.#frame;
    if (!parseEthernet(view, offset, length, frame) || frame.source === this.#linkAddress) return;
    const at = offset + ETHERNET_HEADER_LENGTH;
    const rest = length - ETHERNET_HEADER_LENGTH;
    const isIpv6 = frame.type === ETHERTYPE_IPV6;
    if (frame.type === ETHERTYPE_ARP) this.#arpArrives(view, at, rest, now, egress);
    if (isIpv6 && this.#solicitationArrives(view, at, rest, now, egress)) return;
    // What came to more than one station is not for one address (RFC 1122 section 3.3.6).
    const isOurs = frame.destination === this.#linkAddress;
    if (isOurs && (isIpv6 || frame.type === ETHERTYPE_IPV4)) {
      this.#standIn.arrive(bytes, at, rest, now, this.#framed.to(frame.source, egress));
    }
  }

  /** RFC 826. Who says that the address is its own does not ask for it; who only tries it is told (RFC 5227 section 2.1.1). */
  #arpArrives(view: DataView, offset: number, length: number, now: number, egress: Egress): void {
    const [arp, frame, own] = [this.#arp, this.#frame, this.#address.ipv4];
    if (frame.destination !== BROADCAST && frame.destination !== this.#linkAddress) return;
    if (!parseArp(view, offset, length, arp)) return;
    if (arp.operation !== ARP_REQUEST || arp.target !== own || arp.sender === own) return;
    if (!this.#bucket.take(now)) return;
    this.#sendArp(frame.source, ARP_REPLY, arp.senderLink, arp.sender, egress);
  }

  /** @returns whether it is a neighbour solicitation that is for us (RFC 4861 section 7.2.4) */
  #solicitationArrives(
    view: DataView,
    offset: number,
    length: number,
    now: number,
    egress: Egress,
  ): boolean {
    const [own, header, message] = [this.#address6, this.#header, this.#message];
    if (own === undefined) return false;
    const group = solicitedNode(own);
    const isToGroup = this.#frame.destination === groupLinkAddress(group);
    if (!isToGroup && this.#frame.destination !== this.#linkAddress) return false;
    if (!parseIpv6(view, offset, length, header)) return false;
    const { source, destination, protocol, isFragment, headerLength, totalLength } = header;
    // RFC 6980 section 5: not in fragments.
    if (protocol !== PROTOCOL_ICMPV6 || isFragment) return false;
    if (!destination.equals(own) && !destination.equals(group)) return false;
    const size = totalLength - headerLength;
    const sum = ICMPV6.pseudoHeaderSum(source, destination, size);
    if (!parseIcmp(view, offset + headerLength, size, sum, message)) return false;
    if (solicitedTarget(view, header, message)?.equals(own) !== true) return false;
    if (source.word0 >>> 24 === 0xff || source.equals(own)) return false;
    if (!this.#bucket.take(now)) return true;
    if (source.isUnspecified) this.#advertise(ALL_NODES, ALL_NODES_LINK, egress);
    else this.#advertise(source, this.#frame.source, egress);
    return true;
  }

  #sendArp(
    destination: number,
    operation: number,
    targetLink: number,
    target: number,
    egress: Egress,
  ): void {
    const at = egress.reserve(ETHERNET_HEADER_LENGTH + ARP_LENGTH);
    if (at < 0) return;
    const source = this.#linkAddress;
    const arp = { operation, senderLink: source, sender: this.#address.ipv4, targetLink, target };
    const { view } = egress;
    emitArp(view, at + emitEthernet(view, at, destination, source, ETHERTYPE_ARP), arp);
    egress.commit(ETHERNET_HEADER_LENGTH + ARP_LENGTH);
  }

  #advertise(destination: IpAddress, link: number, egress: Egress): void {
    const framed = this.#framed.to(link, egress);
    const at = framed.reserve(NEIGHBOR_ADVERTISEMENT_LENGTH);
    if (at < 0) return;
    const { bytes, view } = framed;
    framed.commit(
      emitNeighborAdvertisement(bytes, view, at, destination, this.#address6!, this.#linkAddress),
    );
  }
}

const ALL_NODES_LINK = groupLinkAddress(ALL_NODES);

/** Takes what is due from `times`. @returns whether anything was */
function isDue(times: number[], now: number): boolean {
  const first = times[0];
  if (first === undefined || first > now) return false;
  times.shift();
  return true;
}
