import { type IpAddress, parseAddress } from './address.ts';
import { assert } from './assert.ts';
import type { ControlBlock } from './control-block.ts';
import { Counters } from './counters.ts';
import { Demultiplexer } from './demultiplexer.ts';
import { DURABILITIES, type DurabilityName } from './durability.ts';
import { Identifications } from './identifications.ts';
import { IpReassembly } from './ip-reassembly.ts';
import { LocalSockets } from './local-sockets.ts';
import { Loopback } from './loopback.ts';
import { Memory } from './memory.ts';
import { PathMtus } from './path-mtus.ts';
import { Pcb, type PcbOwner, RECORD_WIDTH } from './pcb.ts';
import { RecordPool } from './record.ts';
import { Replies } from './replies.ts';
import { State } from './state.ts';
import { TimerHeap } from './timer-heap.ts';
import { TokenBucket } from './token-bucket.ts';
import { Departures } from './udp/departures.ts';
import { UDP_RECORD_WIDTH, UdpPcb, type UdpPcbOwner } from './udp/udp-pcb.ts';
import { IcmpMessage } from './wire/icmp.ts';
import { Ipv4Header } from './wire/ipv4.ts';
import { IPV6_MIN_MTU, Ipv6Header } from './wire/ipv6.ts';
import { TcpHeader } from './wire/tcp.ts';
import { UdpHeader } from './wire/udp.ts';

export interface StackOptions {
  /** The stack's own IPv4 address, a dotted quad; the host it runs on must not have it. */
  readonly address: string;
  /** How many first bits of `address` name its network. */
  readonly prefix: number;
  /** The stack's own IPv6 address, if it has one; the host it runs on must not have it. */
  readonly address6?: string;
  /** Bytes of the largest IP packet, at least 576; 1280 with IPv6. */
  readonly mtu: number;
  /** At least 16 random bytes, kept as long as the connections (RFC 6528, RFC 6056). */
  readonly secret: Uint8Array;
  /** A random u32. */
  entropy(): number;
  /** Milliseconds of the clock that every `now` is of. */
  readonly now: number;
  /** Most bytes received and not read, for each connection at first; 1 MiB. */
  readonly receiveBuffer?: number;
  /** The same for a connection that has shown to need more; 8 MiB, or `receiveBuffer` where that is given. */
  readonly receiveBufferMax?: number;
  /** Most bytes sent and not acknowledged, for each connection at first; 1 MiB. */
  readonly sendBuffer?: number;
  /** Whether connections ask for ECN, unless their field says otherwise; false. One that is asked for it agrees always. */
  readonly ecn?: boolean;
  /** What connections outlive, unless their field says otherwise; `process`. */
  readonly durability?: DurabilityName;
  /** The same for a connection whose window has grown, or whose user asks for it; 8 MiB, or `sendBuffer` where that is given. */
  readonly sendBufferMax?: number;
  /**
   * Bytes that the buffers of all connections may take together, what peers have been offered included; 256 MiB. Rings kept
   * to be used again come on top, at most 32 MiB.
   */
  readonly memory?: number;
  /** Milliseconds of TIME-WAIT, 2 * MSL; 60,000 as Linux has it (TCP_TIMEWAIT_LEN). */
  readonly timeWait?: number;
}

const DEFAULT_BUFFER = 1 << 20;
/** 1 Gbit/s over 60 ms. */
const DEFAULT_BUFFER_MAX = 8 << 20;
const DEFAULT_TIME_WAIT = 60_000;
const DEFAULT_MEMORY = 256 << 20;

/** RFC 1812 section 4.3.2.8 wants a limit on ICMP errors; its size is ours. */
const ICMP_ERRORS_PER_SECOND = 100;

/** The connections of one listener that are not its user's yet. */
export interface Waiting {
  /** Established and not accepted, oldest first. */
  readonly established: Pcb[];
  /** How many are in SYN-RECEIVED. */
  synReceived: number;
  /** And how many of those have not answered in a whole RTO: what a flood leaves, and a burst of callers does not. */
  unanswered: number;
}

/**
 * One host's TCP and UDP as data: their PCBs and how they are found, timers, and what the next turn has to look at.
 * The events of RFC 9293 section 3.10 are functions over it, a file each, and so is what UDP does (`udp/`).
 */
export class Host implements PcbOwner, UdpPcbOwner {
  readonly address: IpAddress;
  readonly prefix: number;
  readonly address6: IpAddress | undefined;
  readonly mtu: number;
  readonly secret: Uint8Array;
  readonly entropy: () => number;
  readonly receiveBuffer: number;
  readonly receiveBufferMax: number;
  readonly sendBuffer: number;
  readonly ecn: boolean;
  readonly durability: DurabilityName;
  readonly sendBufferMax: number;
  readonly timeWait: number;
  readonly memory: Memory;

  readonly pcbs = new Map<number, Pcb>();
  readonly #pool = new RecordPool(RECORD_WIDTH);
  readonly connections: Demultiplexer;
  readonly listeners = new LocalSockets<Pcb>();
  /** Those whose port `bind` has chosen. */
  readonly bound = new LocalSockets<Pcb>();
  /** By the listener's ID. */
  readonly waiting = new Map<number, Waiting>();
  readonly timers = new TimerHeap<Pcb>();
  readonly reassembly = new IpReassembly();
  readonly replies = new Replies();
  readonly loopback: Loopback;
  readonly icmpErrors: TokenBucket;
  readonly pathMtus = new PathMtus();
  readonly counters = new Counters();

  readonly udpPcbs = new Map<number, UdpPcb>();
  readonly #udpPool = new RecordPool(UDP_RECORD_WIDTH);
  /** Those that have a port. */
  readonly udpSockets = new LocalSockets<UdpPcb>();
  /** By what their senders outlive. */
  readonly departures: Readonly<Record<DurabilityName, Departures>>;
  readonly identifications: Identifications;
  /** As `pathMtus`, but told by whoever knows a port, where TCP believes only who knows a number: so TCP has no use for it. */
  readonly datagramPathMtus = new PathMtus();

  /** See `setRoom`. */
  hasRoom = true;
  /** See `beginFreeze`. */
  isFreezing = false;
  nextId = 1;
  nextQueueOrder = 1;
  /** When a SYN was last answered with a cookie. */
  cookieSentAt = -Infinity;
  /** How many ephemeral ports have been asked for (RFC 6056 section 3.3.3). */
  portsAsked = 0;

  // Read and written for each packet; kept to be used again.
  readonly ipv4Header = new Ipv4Header();
  readonly ipv6Header = new Ipv6Header();
  readonly segment = new TcpHeader();
  readonly udpHeader = new UdpHeader();
  readonly icmpMessage = new IcmpMessage();

  #changed: ControlBlock[] = [];
  #dirty: ControlBlock[] = [];
  #removed: ControlBlock[] = [];
  #output: Pcb[] = [];
  #outputFirst = 0;

  constructor(options: StackOptions) {
    const address = parseAddress(options.address);
    assert(address?.isIpv4 === true, 'the stack has an IPv4 address');
    assert(options.prefix >= 0 && options.prefix <= 32, 'a prefix is 0 to 32 bits');
    assert(options.mtu >= 576 && options.mtu <= 65535, 'an MTU is 576 to 65535 bytes');
    this.address = address;
    this.prefix = options.prefix;
    this.address6 = ipv6Address(options);
    this.mtu = options.mtu;
    this.secret = options.secret;
    this.entropy = () => options.entropy() >>> 0;
    const { receiveBuffer, receiveBufferMax, sendBuffer, sendBufferMax } = options;
    this.receiveBuffer = receiveBuffer ?? DEFAULT_BUFFER;
    this.receiveBufferMax = Math.max(
      this.receiveBuffer,
      receiveBufferMax ?? receiveBuffer ?? DEFAULT_BUFFER_MAX,
    );
    this.sendBuffer = sendBuffer ?? DEFAULT_BUFFER;
    this.sendBufferMax = Math.max(
      this.sendBuffer,
      sendBufferMax ?? sendBuffer ?? DEFAULT_BUFFER_MAX,
    );
    this.ecn = options.ecn ?? false;
    this.memory = new Memory(options.memory ?? DEFAULT_MEMORY);
    this.durability = options.durability ?? 'process';
    this.timeWait = options.timeWait ?? DEFAULT_TIME_WAIT;
    this.connections = new Demultiplexer(this.entropy);
    this.identifications = new Identifications(this.entropy);
    this.loopback = new Loopback(options.mtu);
    const changed = (pcb: UdpPcb) => this.changed(pcb);
    this.departures = { process: new Departures(changed), power: new Departures(changed) };
    this.icmpErrors = new TokenBucket(ICMP_ERRORS_PER_SECOND, options.now);
  }

  /** Whether it is an address of the stack. */
  isOwn(address: IpAddress): boolean {
    return address.equals(this.address) || this.isOwn6(address);
  }

  /** Whether it is the stack's IPv6 address. */
  isOwn6(address: IpAddress): boolean {
    return this.address6?.equals(address) === true;
  }

  /** The stack's address of the version that `remote`, which `isUnicast`, is of. */
  addressTowards(remote: IpAddress): IpAddress {
    if (remote.isIpv4) return this.address;
    assert(this.address6 !== undefined, 'no IPv6 without an IPv6 address');
    return this.address6;
  }

  /**
   * Whether packets to `address` can have one receiver, and one that we can reach (RFC 1122 section 3.2.1.3; RFC 4291
   * sections 2.5 and 2.7): IPv6 only if the stack has an address of its own.
   */
  isUnicast(address: IpAddress): boolean {
    if (!address.isIpv4) {
      return (
        this.address6 !== undefined &&
        address.word0 >>> 24 !== 0xff &&
        !address.isUnspecifiedOrLoopback6
      );
    }
    const { ipv4 } = address;
    if (ipv4 >>> 24 === 0 || ipv4 >>> 28 >= 0xe) return false;
    if (ipv4 >>> 24 === 127) return false;
    return !this.#isDirectedBroadcast(ipv4);
  }

  /** The last address of our own network; networks of one or two addresses have none (RFC 3021). */
  #isDirectedBroadcast(ipv4: number): boolean {
    if (this.prefix >= 31) return false;
    const hostBits = 0xffffffff >>> this.prefix;
    return (ipv4 | hostBits) >>> 0 === ipv4 && (this.address.ipv4 | hostBits) >>> 0 === ipv4;
  }

  /** A PCB in CLOSED, bound to nothing, with an ID of its own. */
  create(isTransient = false): Pcb {
    const pcb = this.adopt(isTransient);
    pcb.ID = this.nextId++;
    pcb.TTL = 64;
    pcb.ECN = this.ecn ? 1 : 0;
    pcb.DURABILITY = DURABILITIES.indexOf(this.durability);
    this.pcbs.set(pcb.ID, pcb);
    return pcb;
  }

  /** A PCB whose record is still all zero and which is in no map. */
  adopt(isTransient = false): Pcb {
    return new Pcb(this.#pool, this, isTransient);
  }

  /** A UDP socket with an ID of its own, bound to nothing. */
  createUdp(isTransient: boolean): UdpPcb {
    const pcb = this.adoptUdp(isTransient);
    pcb.ID = this.nextId++;
    pcb.TTL = 64;
    pcb.DURABILITY = DURABILITIES.indexOf(this.durability);
    this.udpPcbs.set(pcb.ID, pcb);
    return pcb;
  }

  /** A UDP socket whose record is still all zero and which is in no map. */
  adoptUdp(isTransient: boolean): UdpPcb {
    return new UdpPcb(this.#udpPool, this, isTransient);
  }

  /** The socket of either protocol with this ID. */
  find(id: number): ControlBlock | undefined {
    return this.pcbs.get(id) ?? this.udpPcbs.get(id);
  }

  // What the next turn has to look at.

  touched(pcb: ControlBlock): void {
    if (pcb.isDirty) return;
    pcb.isDirty = true;
    this.#dirty.push(pcb);
  }

  /** Readiness, state or error of `pcb` may be other than they were. */
  changed(pcb: ControlBlock): void {
    if (pcb.isChanged) return;
    pcb.isChanged = true;
    this.#changed.push(pcb);
  }

  /** `pcb` may have something to transmit. */
  wantOutput(pcb: Pcb): void {
    if (pcb.wantsOutput) return;
    pcb.wantsOutput = true;
    this.#output.push(pcb);
  }

  /** The first PCB that may have something to transmit. */
  get nextOutput(): Pcb | undefined {
    return this.#output[this.#outputFirst];
  }

  /** The first of them has nothing more to transmit. */
  shiftOutput(): void {
    this.#output[this.#outputFirst]!.wantsOutput = false;
    this.#outputFirst++;
    if (this.#outputFirst < this.#output.length) return;
    this.#output = [];
    this.#outputFirst = 0;
  }

  takeChanged(): ControlBlock[] {
    const changed = this.#changed.filter((pcb) => !pcb.isRemoved);
    for (const pcb of changed) pcb.isChanged = false;
    this.#changed = [];
    return changed;
  }

  takeDirty(): ControlBlock[] {
    const dirty = this.#dirty.filter((pcb) => !pcb.isRemoved);
    for (const pcb of dirty) {
      pcb.isDirty = false;
      // A field that the user sets, such as KEEPALIVE, may have brought a deadline nearer.
      if (pcb instanceof Pcb) this.arm(pcb);
    }
    this.#dirty = [];
    return dirty;
  }

  takeRemoved(): ControlBlock[] {
    const removed = this.#removed;
    this.#removed = [];
    return removed;
  }

  /** A deadline of `pcb` may have come nearer. One that went further away is found out when it is due. */
  arm(pcb: Pcb): void {
    const { deadline } = pcb;
    if (deadline < this.timers.deadlineOf(pcb)) this.timers.set(pcb, deadline);
  }

  // Life and death of a PCB.

  setState(pcb: Pcb, state: State): void {
    pcb.STATE = state;
    this.changed(pcb);
  }

  /** The connection has left SYN-RECEIVED, if it was in it for a listener. */
  leaveSynReceived(pcb: Pcb): void {
    if (pcb.STATE !== State.SYN_RECEIVED) return;
    const waiting = this.waiting.get(pcb.LISTENER);
    if (waiting === undefined) return;
    waiting.synReceived--;
    if (pcb.BACKOFF > 0) waiting.unanswered--;
  }

  /**
   * Enters CLOSED. The PCB stays until its user has closed it, so that the user can learn why and read what has come.
   * @param error errno of the reason; 0: both sides were done
   */
  finish(pcb: Pcb, error: number): void {
    const { STATE } = pcb;
    this.#countEnd(STATE);
    this.leaveSynReceived(pcb);
    if (STATE === State.LISTEN) {
      this.listeners.remove(pcb);
      this.waiting.delete(pcb.ID);
    } else if (STATE !== State.CLOSED) {
      this.connections.remove(pcb);
    }
    if (error !== 0) pcb.ERROR = error;
    this.setState(pcb, State.CLOSED);
    pcb.dropBuffers();
    this.timers.remove(pcb);
    if (pcb.CLOSED_BY_USER === 1) this.#remove(pcb);
  }

  #countEnd(state: number): void {
    switch (state) {
      case State.SYN_SENT:
      case State.SYN_RECEIVED:
        this.counters.TcpAttemptFails++;
        break;
      case State.ESTABLISHED:
      case State.CLOSE_WAIT:
        this.counters.TcpEstabResets++;
        break;
    }
  }

  #remove(pcb: Pcb): void {
    if (pcb.IS_BOUND === 1) this.bound.remove(pcb);
    this.pcbs.delete(pcb.ID);
    this.#release(pcb);
  }

  /** The UDP socket is gone at once. What it has sent leaves all the same. */
  removeUdp(pcb: UdpPcb): void {
    if (pcb.LOCAL_PORT !== 0) this.udpSockets.remove(pcb);
    this.udpPcbs.delete(pcb.ID);
    this.#release(pcb);
  }

  #release(pcb: Pcb | UdpPcb): void {
    this.#removed.push(pcb);
    pcb.remove();
    pcb.account.close();
  }
}

function ipv6Address({ address6, mtu }: StackOptions): IpAddress | undefined {
  if (address6 === undefined) return undefined;
  const address = parseAddress(address6);
  assert(address?.isIpv4 === false, 'an IPv6 address is one');
  assert(mtu >= IPV6_MIN_MTU, `an MTU for IPv6 is at least ${IPV6_MIN_MTU} bytes`);
  return address;
}
