import { Account } from '../account.ts';
import { type Endpoint, formatAddress, IpAddress } from '../address.ts';
import { ByteStream } from '../byte-stream.ts';
import { ControlBlock } from '../control-block.ts';
import type { Memory } from '../memory.ts';
import { carried, defineRecord, durable, type RecordPool } from '../record.ts';

/**
 * A UDP socket as the journal has it. 0 is "not set".
 *
 * The order of these lines is part of the store's layout.
 */
const FIELDS = {
  /** Never used again for another socket of either protocol. */
  ID: durable.f64,
  /** Linux errno of what ICMP has told of the peer and nobody has been told; 0: nothing. */
  ERROR: durable.u8,

  // The endpoints: IPv4 as IPv4-mapped words; port 0 is "none yet".
  LOCAL_ADDRESS_0: durable.u32,
  LOCAL_ADDRESS_1: durable.u32,
  LOCAL_ADDRESS_2: durable.u32,
  LOCAL_ADDRESS_3: durable.u32,
  /** The peer; without one, where the user has said that datagrams are to go. */
  REMOTE_ADDRESS_0: durable.u32,
  REMOTE_ADDRESS_1: durable.u32,
  REMOTE_ADDRESS_2: durable.u32,
  REMOTE_ADDRESS_3: durable.u32,
  /** Where the datagram came from that was read last. */
  SOURCE_ADDRESS_0: durable.u32,
  SOURCE_ADDRESS_1: durable.u32,
  SOURCE_ADDRESS_2: durable.u32,
  SOURCE_ADDRESS_3: durable.u32,
  LOCAL_PORT: durable.u16,
  REMOTE_PORT: durable.u16,
  SOURCE_PORT: durable.u16,
  /** Whether it has a peer (connect(2)): it hears nobody else. */
  IS_CONNECTED: durable.u8,
  /** Whether `::` is to stand for IPv6 alone (RFC 3493 section 5.3, IPV6_V6ONLY). */
  V6ONLY: durable.u8,
  /** Whether its user reads and writes the addresses of each datagram before it (Plan 9, ip(3), `headers`). */
  HEADERS: durable.u8,

  /** Offset in `receiveStream` of the oldest datagram that the user has not read, and of the end. */
  RECEIVE_START: durable.f64,
  RECEIVE_END: durable.f64,
  /** How many datagrams found no room to wait in. */
  DROPS: carried.f64,

  /** Sizes of the buffers, bytes; 0: the stack's default. */
  SNDBUF: durable.u32,
  RCVBUF: durable.u32,
  TTL: durable.u8,
  TOS: durable.u8,
  /** What the socket outlives: see durability.ts. */
  DURABILITY: durable.u8,
} as const;

const definition = defineRecord(FIELDS, ControlBlock);

/** Bytes of a whole record in memory. */
export const UDP_RECORD_WIDTH = definition.width;
/** Bytes of `pcb.record`, what the journal holds of each socket beside the datagrams. */
export const UDP_RECORD_LENGTH = definition.journaledLength;
/** Name, type and offset of each field in it. */
export const UDP_RECORD_LAYOUT = definition.journaledFields;

/** What a UDP socket needs of the stack it belongs to. */
export interface UdpPcbOwner {
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  readonly memory: Memory;
  /** A durable field of `pcb` has got a new value. */
  touched(pcb: UdpPcb): void;
}

/** One UDP socket. */
export class UdpPcb extends definition.Base {
  readonly #owner: UdpPcbOwner;
  /** It is the engine's own and gone with it: nothing of it is journaled. */
  readonly isTransient: boolean;
  override readonly account: Account;
  #receiveStream: ByteStream | undefined;
  #departing = 0;

  constructor(pool: RecordPool, owner: UdpPcbOwner, isTransient = false) {
    super(pool);
    this.#owner = owner;
    this.isTransient = isTransient;
    this.account = new Account(owner.memory);
  }

  protected override touched(): void {
    if (!this.isTransient) this.#owner.touched(this);
  }

  override get record(): Uint8Array {
    return this.bytes(UDP_RECORD_LENGTH);
  }

  /** Where the datagram came from that was read last; undefined: from nowhere that could be answered. */
  get source(): Endpoint | undefined {
    if (this.SOURCE_PORT === 0) return undefined;
    return { address: formatAddress(this.sourceAddress), port: this.SOURCE_PORT };
  }

  get sourceAddress(): IpAddress {
    return new IpAddress(
      this.SOURCE_ADDRESS_0,
      this.SOURCE_ADDRESS_1,
      this.SOURCE_ADDRESS_2,
      this.SOURCE_ADDRESS_3,
    );
  }

  set sourceAddress(address: IpAddress) {
    this.SOURCE_ADDRESS_0 = address.word0;
    this.SOURCE_ADDRESS_1 = address.word1;
    this.SOURCE_ADDRESS_2 = address.word2;
    this.SOURCE_ADDRESS_3 = address.word3;
  }

  /** The datagrams that wait to be read, one behind the other, each as `datagram-queue.ts` writes it. */
  get receiveStream(): ByteStream {
    this.#receiveStream ??= new ByteStream(this.receiveBuffer, this.RECEIVE_START, this.account);
    return this.#receiveStream;
  }

  /** How many bytes may wait to be read, with what is put before each datagram. */
  get receiveBuffer(): number {
    return this.RCVBUF || this.#owner.receiveBuffer;
  }

  /** How many bytes of packets may wait to leave before nothing more is sent. */
  get sendBuffer(): number {
    return this.SNDBUF || this.#owner.sendBuffer;
  }

  /** The user has set the size of a buffer. What waits stays. */
  resizeBuffers(): void {
    if (this.#receiveStream !== undefined) this.#receiveStream.limit = this.receiveBuffer;
  }

  /** Bytes of packets that wait to leave. */
  get departing(): number {
    return this.#departing;
  }

  set departing(bytes: number) {
    this.account.count(this.#departing, bytes);
    this.#departing = bytes;
  }

  /** Whether `bytes` more may wait to leave for all that the stack's memory has to say. */
  canAfford(bytes: number): boolean {
    return this.#departing + bytes <= this.account.most(this.#departing);
  }

  /** Whether a datagram waits to be read. */
  get isReadable(): boolean {
    return this.RECEIVE_END > this.RECEIVE_START;
  }

  /** Whether a datagram would be taken. */
  get isWritable(): boolean {
    return this.#departing < this.sendBuffer;
  }

  /** Nobody reads what waits. */
  dropDatagrams(): void {
    this.#receiveStream?.reset(this.RECEIVE_END);
    this.#receiveStream = undefined;
    this.RECEIVE_START = this.RECEIVE_END;
  }

  /** Whether the stream holds what the record says it does. */
  get isStreamComplete(): boolean {
    return (this.#receiveStream?.end ?? this.RECEIVE_START) === this.RECEIVE_END;
  }

  /** Gives the record's slot back. The last values stay readable. */
  remove(): void {
    this.#receiveStream?.reset(this.RECEIVE_END);
    this.#receiveStream = undefined;
    this.departing = 0;
    this.isRemoved = true;
    this.release();
  }
}
