import { abandonConnections } from './abandon-connections.ts';
import { abort } from './abort.ts';
import type { Absence } from './absence.ts';
import type { Endpoint } from './address.ts';
import { close, shutdown, shutdownReceive } from './close.ts';
import type { ControlBlock } from './control-block.ts';
import type { Counters } from './counters.ts';
import type { Egress } from './egress.ts';
import { beginFreeze, isSettled } from './freeze.ts';
import { Host, type StackOptions } from './host.ts';
import { BARE, type Ingress } from './ingress.ts';
import { MovingIn } from './move-in.ts';
import { moveOut } from './move-out.ts';
import { accept, bind, connect, listen } from './open.ts';
import { packetArrives } from './packet-arrives.ts';
import type { Pcb } from './pcb.ts';
import { receive } from './receive.ts';
import { restore, resume, salvage } from './restore.ts';
import { setRoom } from './room.ts';
import { send } from './send.ts';
import { getOption, type SocketOptionName, setOption } from './socket-options.ts';
import { TcpError } from './tcp-error.ts';
import { timeouts } from './timeouts.ts';
import { transmitConnections } from './transmit.ts';
import { transmitPackets } from './transmit-packets.ts';
import { abandonDatagrams, resumeUdp } from './udp/restore.ts';
import { Udp } from './udp/udp.ts';
import { unacknowledged, unreceive } from './unreceive.ts';

export type { StackOptions } from './host.ts';
export type { SocketOptionName } from './socket-options.ts';

/**
 * How long, within one call of `transmit`, packets to our own address may go on to answer each other. On this path no time
 * passes, so two that never stop would never stop here; what comes after is lost, as on any path, and timers take over. A
 * megabyte through a new connection takes about 50 rounds.
 */
const LOOPBACK_ROUNDS = 1000;

/**
 * One host's TCP and UDP over IPv4, and over IPv6 if it has an address for it. It never does anything by itself: it is given packets (`arrive`), the time (`tick`) and a
 * place for its packets (`transmit`), and users make the calls of RFC 9293 section 3.10 on it. All times are
 * milliseconds of one monotonic clock. The calls throw `TcpError`; what goes wrong later is in `pcb.ERROR`.
 */
export class Stack {
  readonly #host: Host;
  /** The calls of UDP. All others are TCP's, or both's. */
  readonly udp: Udp;

  constructor(options: StackOptions) {
    this.#host = new Host(options);
    this.udp = new Udp(this.#host);
  }

  /** By ID. */
  get pcbs(): ReadonlyMap<number, Pcb> {
    return this.#host.pcbs;
  }

  /** The connection or UDP socket with this ID. */
  find(id: number): ControlBlock | undefined {
    return this.#host.find(id);
  }

  /** The ID of the next PCB, of either protocol. Journaled, so that none is used again. */
  get nextId(): number {
    return this.#host.nextId;
  }

  set nextId(id: number) {
    this.#host.nextId = id;
  }

  /** Whether what arrives and what is sent can be kept: true at first. See `setRoom`. */
  get hasRoom(): boolean {
    return this.#host.hasRoom;
  }

  set hasRoom(hasRoom: boolean) {
    setRoom(this.#host, hasRoom);
  }

  /** What has happened since this stack was made. */
  get counters(): Readonly<Counters> {
    return this.#host.counters;
  }

  /** Bytes that the buffers of all connections count for, what peers have been offered included. */
  get memoryUsed(): number {
    return this.#host.memory.used;
  }

  /**
   * A PCB in CLOSED, bound to nothing.
   * @throws TcpError ENOBUFS no memory for another connection
   */
  create(): Pcb {
    if (!this.#host.memory.hasRoom) throw new TcpError('ENOBUFS');
    return this.#host.create();
  }

  /**
   * The same for the engine's own use: nothing of it is journaled, and the next engine does not have it.
   * @throws TcpError ENOBUFS no memory for another connection
   */
  createTransient(): Pcb {
    if (!this.#host.memory.hasRoom) throw new TcpError('ENOBUFS');
    return this.#host.create(true);
  }

  /**
   * Gives `pcb` its local socket. Port 0 asks for any free one; 0.0.0.0 stands for all IPv4 addresses of the stack, `::` for
   * all of either version, or of IPv6 alone with V6ONLY.
   * @throws TcpError EINVAL already bound or open, or not an address; EADDRNOTAVAIL not ours; EADDRINUSE
   */
  bind(pcb: Pcb, local: Endpoint): void {
    bind(this.#host, pcb, local);
  }

  /**
   * Passive OPEN. In LISTEN it changes the backlog.
   * @param backlog one less than how many connections may wait to be accepted, at most 4096
   * @throws TcpError EINVAL no backlog, or connected; EADDRINUSE no port is free
   */
  listen(pcb: Pcb, backlog: number): void {
    listen(this.#host, pcb, backlog);
  }

  /**
   * Active OPEN; returns at once. ESTABLISHED, or CLOSED with an ERROR, is how it ends. May be tried again after that.
   * @throws TcpError EALREADY, EISCONN; EINVAL not an address; ENETUNREACH not an address of one host; ECONNREFUSED
   * port 0; EAFNOSUPPORT bound to an address of the other version of IP; EADDRNOTAVAIL no local port is free, or this pair of sockets is connected already; ENOSPC nothing more can be kept
   */
  connect(pcb: Pcb, remote: Endpoint, now: number): void {
    connect(this.#host, pcb, remote, now);
  }

  /**
   * The oldest connection of `listener` that waits, now its caller's; undefined when none does.
   * @throws TcpError EINVAL not listening
   */
  accept(listener: Pcb): Pcb | undefined {
    return accept(this.#host, listener);
  }

  /** How many `accept` would give. */
  waiting(listener: Pcb): number {
    return this.#host.waiting.get(listener.ID)?.established.length ?? 0;
  }

  /** Which of all connections that ever waited to be accepted was the last to come; 0 when none waits here. */
  lastWaiting(listener: Pcb): number {
    return this.#host.waiting.get(listener.ID)?.established.at(-1)?.QUEUE_ORDER ?? 0;
  }

  /** Whether `accept` would give one. */
  acceptable(listener: Pcb): boolean {
    return this.waiting(listener) > 0;
  }

  /**
   * SEND. What is sent before the handshake is done waits for it.
   * @returns how many bytes of `source` were taken; 0 when the buffer is full
   * @throws TcpError ENOTCONN never connected; EPIPE closed for sending; ENOSPC nothing more can be kept; what ended the
   * connection
   */
  send(pcb: Pcb, source: Uint8Array, _now: number): number {
    return send(this.#host, pcb, source);
  }

  /**
   * RECEIVE. What came before an error is given first.
   * @returns how many bytes `target` got; 0 when there are none: for ever if `pcb.atEnd`
   * @throws TcpError ENOTCONN never connected; what ended the connection
   */
  receive(pcb: Pcb, target: Uint8Array, now: number): number {
    return receive(this.#host, pcb, target, now);
  }

  /**
   * How many of the newest bytes received the peer does not know to have arrived, read or not: forgotten, they come again. All that is
   * transmitted from now on may tell it.
   */
  unacknowledged(pcb: Pcb): number {
    return unacknowledged(this.#host, pcb);
  }

  /**
   * After `resume`: the last `count` bytes that were read, which were `unacknowledged`, never arrived, nor what came behind them. Nothing that was
   * transmitted after they were read has left.
   */
  unreceive(pcb: Pcb, count: number): void {
    unreceive(this.#host, pcb, count);
  }

  /**
   * Sends a FIN after what is queued and goes on receiving. Again is the same as once.
   * @throws TcpError ENOTCONN not connected
   */
  shutdown(pcb: Pcb, _now: number): void {
    shutdown(this.#host, pcb);
  }

  /**
   * Reading is at its end whenever what has arrived is read; the peer is not told. Again is the same as once.
   * @throws TcpError ENOTCONN not connected
   */
  shutdownReceive(pcb: Pcb, _now: number): void {
    shutdownReceive(this.#host, pcb);
  }

  /** CLOSE by a program that is done with it: the PCB goes when TCP is done. Bytes not read reset the connection. */
  close(pcb: Pcb, now: number): void {
    close(this.#host, pcb, now);
  }

  /** ABORT: a RST, then gone. */
  abort(pcb: Pcb, now: number): void {
    abort(this.#host, pcb, now);
  }

  /**
   * From now on another host may speak for the connection, and this one never does. Its record and its bytes stay, to be written to a
   * file, until it is closed. Again is the same as once.
   * @param wall milliseconds since 1970
   * @throws TcpError EOPNOTSUPP a listener, or a connection with ourselves; ENOTCONN no connection, or not yet or no longer; ENODATA it
   * has moved, and is not to be had again
   */
  moveOut(pcb: Pcb, now: number, wall: number): void {
    moveOut(this.#host, pcb, now, wall);
  }

  /**
   * A connection that has moved out elsewhere and is about to be this host's.
   * @param record any bytes
   * @throws RecordError it contradicts itself
   * @throws TcpError EADDRNOTAVAIL its address is not ours; EADDRINUSE this pair of sockets is connected; EEXIST as this connection; ESTALE it
   * has been here since; ENOBUFS no memory; ENOSPC nothing more can be kept
   */
  moveIn(record: Uint8Array): MovingIn {
    return new MovingIn(this.#host, record);
  }

  /** What holds for `pcb`, whether its user has set it or not: bytes, milliseconds, or as its field says. */
  getOption(pcb: Pcb, name: SocketOptionName): number {
    return getOption(pcb, name);
  }

  /**
   * Sets an option of `pcb`, which has effect at once. Connections have those of their listener.
   * @throws TcpError EINVAL when the value is none of this option, or it is too late to set it
   */
  setOption(pcb: Pcb, name: SocketOptionName, value: number, now: number): void {
    setOption(this.#host, pcb, name, value, now);
  }

  /** One IP packet, at bytes[offset, offset + length). It may be anything, but for what `ingress` vouches for. */
  arrive(
    bytes: Uint8Array,
    offset: number,
    length: number,
    now: number,
    ingress: Ingress = BARE,
  ): void {
    const { counters } = this.#host;
    counters.IpInReceives++;
    counters.IpExtInOctets += length;
    packetArrives(this.#host, bytes, offset, length, now, ingress);
  }

  /** All timers that are due at `now`. */
  tick(now: number): void {
    timeouts(this.#host, now);
  }

  /** When `tick` is next wanted; Infinity: no timer is set. */
  get deadline(): number {
    const { timers, reassembly } = this.#host;
    return Math.min(timers.peekDeadline, reassembly.deadline);
  }

  /**
   * Writes all packets that may go. Those to the stack's own address arrive before it returns.
   * @param powerEgress for the packets of connections and sockets with durability `power`
   * @returns false when one of them was full; call again
   */
  transmit(now: number, egress: Egress, powerEgress: Egress = egress): boolean {
    const host = this.#host;
    for (let round = 0; ; round++) {
      if (!transmitPackets(host, host.replies, egress)) return false;
      if (!transmitPackets(host, host.departures.process, egress)) return false;
      // What waits for the disk holds up nobody else.
      const hasLeft = transmitPackets(host, host.departures.power, powerEgress);
      if (!transmitConnections(host, now, egress, powerEgress)) return false;
      const looped = host.loopback.take();
      if (looped.length === 0 || round >= LOOPBACK_ROUNDS) return hasLeft;
      for (const packet of looped) packetArrives(host, packet, 0, packet.length, now, BARE);
    }
  }

  /** The PCBs whose readiness, state or error may have changed since the last call, without those that are gone. */
  takeChanged(): ControlBlock[] {
    return this.#host.takeChanged();
  }

  /** The PCBs whose journaled part has changed since the last call, without those that are gone. */
  takeDirty(): ControlBlock[] {
    return this.#host.takeDirty();
  }

  /** The PCBs that have gone since the last call; their last values can still be read. */
  takeRemoved(): ControlBlock[] {
    return this.#host.takeRemoved();
  }

  /**
   * The PCB that `record` was taken from. Its streams are empty; the caller appends to `sendStream` the bytes from
   * SEND_START to SEND_END, and to `receiveStream` those from RECEIVE_START to RECEIVE_END.
   * @throws RecordError the record contradicts itself or another one
   */
  restore(record: Uint8Array): Pcb {
    return restore(this.#host, record);
  }

  /**
   * As `restore`, after the host has gone down: a connection that was not to outlive that has ended with ECONNABORTED, and
   * its streams are empty.
   * @throws RecordError the record contradicts itself or another one
   */
  salvage(record: Uint8Array): Pcb {
    return salvage(this.#host, record);
  }

  /**
   * After all restores: derives what was not journaled and re-arms the timers.
   * @param absence from when the restored state was current until now
   */
  resume(now: number, absence: Absence): void {
    resume(this.#host, now, absence);
    resumeUdp(this.#host);
  }

  /** From now on no window opens, and no caller is let in: all that has been offered may still come. For good. */
  beginFreeze(): void {
    beginFreeze(this.#host);
  }

  /** Whether everything that was on its way here has been taken and acknowledged, as far as that can be told. */
  isSettled(now: number): boolean {
    return isSettled(this.#host, now);
  }

  /** After all restores: a stand-in has told the peer of this connection that its window is closed. */
  shutWindow(id: number): void {
    const pcb = this.#host.pcbs.get(id);
    if (pcb !== undefined) pcb.WINDOW_SHUT = 1;
  }

  /**
   * After `resume`, when what was restored is older than what peers and programs have seen: every connection ends with
   * ECONNABORTED, and no datagram is left to be read. Listeners and UDP sockets stay. Peers are asked where they are, so that they learn it soon.
   */
  abandonConnections(now: number): void {
    abandonConnections(this.#host, now);
    abandonDatagrams(this.#host);
  }
}
