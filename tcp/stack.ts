import { abort } from './abort.ts';
import type { Endpoint } from './address.ts';
import { close, shutdown } from './close.ts';
import type { Egress } from './egress.ts';
import { Host, type StackOptions } from './host.ts';
import { accept, bind, connect, listen } from './open.ts';
import { packetArrives } from './packet-arrives.ts';
import type { Pcb } from './pcb.ts';
import { receive } from './receive.ts';
import { restore, resume } from './restore.ts';
import { send } from './send.ts';
import { timeouts } from './timeouts.ts';
import { transmitConnection } from './transmit.ts';
import { transmitReplies } from './transmit-replies.ts';

export type { StackOptions } from './host.ts';

/**
 * How often, within one call of `transmit`, packets to our own address may lead to others. On this path no time passes, so two
 * segments that answer each other would never stop; what comes after is lost, as on any path, and timers take over.
 */
const LOOPBACK_ROUNDS = 1000;

/**
 * One host's TCP over IPv4, and over IPv6 if it has an address for it. It never does anything by itself: it is given packets (`arrive`), the time (`tick`) and a
 * place for its packets (`transmit`), and users make the calls of RFC 9293 section 3.10 on it. All times are
 * milliseconds of one monotonic clock. The calls throw `TcpError`; what goes wrong later is in `pcb.ERROR`.
 */
export class Stack {
  readonly #host: Host;

  constructor(options: StackOptions) {
    this.#host = new Host(options);
  }

  /** By ID. */
  get pcbs(): ReadonlyMap<number, Pcb> {
    return this.#host.pcbs;
  }

  /** The ID of the next PCB. Journaled, so that none is used again. */
  get nextId(): number {
    return this.#host.nextId;
  }

  set nextId(id: number) {
    this.#host.nextId = id;
  }

  /** A PCB in CLOSED, bound to nothing. */
  create(): Pcb {
    return this.#host.create();
  }

  /**
   * Gives `pcb` its local socket. Port 0 asks for any free one; 0.0.0.0 and `::` stand for all addresses of the
   * stack.
   * @throws TcpError EINVAL already bound or open, or not an address; EADDRNOTAVAIL not ours; EADDRINUSE
   */
  bind(pcb: Pcb, local: Endpoint): void {
    bind(this.#host, pcb, local);
  }

  /**
   * Passive OPEN. In LISTEN it changes the backlog.
   * @param backlog one less than how many connections may wait to be accepted, at most 4096
   * @throws TcpError EDESTADDRREQ no local port; EADDRINUSE; EISCONN has been connected; EINVAL
   */
  listen(pcb: Pcb, backlog: number): void {
    listen(this.#host, pcb, backlog);
  }

  /**
   * Active OPEN; returns at once. ESTABLISHED, or CLOSED with an ERROR, is how it ends. May be tried again after that.
   * @throws TcpError EALREADY, EISCONN; EINVAL not an address; ENETUNREACH not an address of one host; ECONNREFUSED
   * port 0; EAFNOSUPPORT bound to an address of the other version of IP; EADDRNOTAVAIL no local port is free, or this pair of sockets is connected already
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

  /** Whether `accept` would give one. */
  acceptable(listener: Pcb): boolean {
    const waiting = this.#host.waiting.get(listener.ID);
    return waiting !== undefined && waiting.established.length > 0;
  }

  /**
   * SEND. What is sent before the handshake is done waits for it.
   * @returns how many bytes of `source` were taken; 0 when the buffer is full
   * @throws TcpError ENOTCONN never connected; EPIPE closed for sending; what ended the connection
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
   * Sends a FIN after what is queued and goes on receiving. Again is the same as once.
   * @throws TcpError ENOTCONN not connected
   */
  shutdown(pcb: Pcb, _now: number): void {
    shutdown(this.#host, pcb);
  }

  /** CLOSE by a program that is done with it: the PCB goes when TCP is done. Bytes not read reset the connection. */
  close(pcb: Pcb, now: number): void {
    close(this.#host, pcb, now);
  }

  /** ABORT: a RST, then gone. */
  abort(pcb: Pcb, now: number): void {
    abort(this.#host, pcb, now);
  }

  /** One IP packet, at bytes[offset, offset + length). It may be anything. */
  arrive(bytes: Uint8Array, offset: number, length: number, now: number): void {
    packetArrives(this.#host, bytes, offset, length, now);
  }

  /** All timers that are due at `now`. */
  tick(now: number): void {
    timeouts(this.#host, now);
  }

  /** When `tick` is next wanted; Infinity: no timer is set. */
  get deadline(): number {
    return this.#host.timers.peekDeadline;
  }

  /**
   * Writes all packets that may go. Those to the stack's own address arrive before it returns.
   * @returns false when `egress` was full; call again
   */
  transmit(now: number, egress: Egress): boolean {
    const host = this.#host;
    let rounds = 0;
    for (;;) {
      if (!transmitReplies(host, egress)) return false;
      const pcb = host.nextOutput;
      const isDone = pcb === undefined || transmitConnection(host, pcb, now, egress);
      if (pcb !== undefined && isDone) host.shiftOutput();
      const looped = host.loopback.take();
      if (looped.length > 0) rounds++;
      if (rounds <= LOOPBACK_ROUNDS) {
        for (const packet of looped) packetArrives(host, packet, 0, packet.length, now);
      }
      if (!isDone) return false;
      if (pcb === undefined && looped.length === 0) return true;
    }
  }

  /** The PCBs whose readiness, state or error may have changed since the last call, without those that are gone. */
  takeChanged(): Pcb[] {
    return this.#host.takeChanged();
  }

  /** The PCBs whose journaled part has changed since the last call, without those that are gone. */
  takeDirty(): Pcb[] {
    return this.#host.takeDirty();
  }

  /** The PCBs that have gone since the last call; their last values can still be read. */
  takeRemoved(): Pcb[] {
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
   * After all restores: derives what was not journaled and re-arms the timers.
   * @param elapsed milliseconds of this clock since the restored state was current; 0 if it was another clock
   */
  resume(now: number, elapsed: number): void {
    resume(this.#host, now, elapsed);
  }
}
