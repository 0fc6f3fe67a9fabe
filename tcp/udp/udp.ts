import type { Endpoint } from '../address.ts';
import type { Host } from '../host.ts';
import type { CommonOptionName } from '../socket-option.ts';
import { TcpError } from '../tcp-error.ts';
import { bind, connect, setDestination } from './bind.ts';
import type { Datagram } from './datagram-queue.ts';
import { getUdpOption, setUdpOption } from './options.ts';
import { peek, receive } from './receive.ts';
import { restoreUdp, salvageUdp } from './restore.ts';
import { type Destination, send } from './send.ts';
import type { UdpPcb } from './udp-pcb.ts';

/**
 * UDP (RFC 768) of one host: the calls of its users, as the socket calls of the same names have them. Packets and time are the stack's
 * matter. Whoever waits, to receive or for room to send, is told by `Stack.takeChanged`.
 */
export class Udp {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** By ID. */
  get pcbs(): ReadonlyMap<number, UdpPcb> {
    return this.#host.udpPcbs;
  }

  /**
   * A socket that is bound to nothing.
   * @throws TcpError ENOBUFS no memory for another socket
   */
  create(): UdpPcb {
    return this.#create(false);
  }

  /**
   * The same for the engine's own use: nothing of it is journaled, and the next engine does not have it.
   * @throws TcpError ENOBUFS no memory for another socket
   */
  createTransient(): UdpPcb {
    return this.#create(true);
  }

  #create(isTransient: boolean): UdpPcb {
    if (!this.#host.memory.hasRoom) throw new TcpError('ENOBUFS');
    return this.#host.createUdp(isTransient);
  }

  /**
   * Gives `pcb` its local socket. Port 0 asks for any free one; 0.0.0.0 stands for all IPv4 addresses of the stack, `::` for
   * all of either version, or of IPv6 alone with V6ONLY. Without it the first `connect` or `send` takes a free port.
   * @throws TcpError EINVAL already bound, or not an address; EADDRNOTAVAIL not ours; EADDRINUSE
   */
  bind(pcb: UdpPcb, local: Endpoint): void {
    bind(this.#host, pcb, local);
  }

  /**
   * Gives `pcb` a peer, or another one: only it is heard, and what ICMP tells of it ends up in `pcb.ERROR`.
   * @throws TcpError EINVAL not an address, or port 0; ENETUNREACH not an address of one host; EAFNOSUPPORT bound to an address of
   * the other version of IP; EAGAIN no local port is free
   */
  connect(pcb: UdpPcb, remote: Endpoint): void {
    connect(this.#host, pcb, remote);
  }

  /**
   * Says where datagrams go that say nothing else.
   * @param remote undefined: back to where the datagram came from that was read last
   * @throws TcpError EISCONN there is a peer; EINVAL not an address, or port 0; ENETUNREACH not an address of one host
   */
  setDestination(pcb: UdpPcb, remote: Endpoint | undefined): void {
    setDestination(this.#host, pcb, remote);
  }

  /**
   * Sends one datagram, which leaves with a `transmit`, at most once.
   * @param to undefined: to the peer, or where `setDestination` has said, or back to where the last one that was read came from
   * @returns false when too many bytes wait to leave; nothing has been sent
   * @throws TcpError EDESTADDRREQ EMSGSIZE EINVAL ENETUNREACH EAFNOSUPPORT EADDRNOTAVAIL EAGAIN ENOBUFS, see `send.ts`; an error of
   * the peer that nobody has been told
   */
  send(pcb: UdpPcb, payload: Uint8Array, now: number, to?: Destination): boolean {
    return send(this.#host, pcb, payload, now, to);
  }

  /**
   * Takes the oldest datagram. What `target` does not hold of it is lost.
   * @returns what it was; undefined when there is none
   * @throws TcpError an error of the peer that nobody has been told
   */
  receive(pcb: UdpPcb, target: Uint8Array): Datagram | undefined {
    return receive(this.#host, pcb, target);
  }

  /**
   * As `receive`, but the datagram can still be read.
   * @param from how many of its bytes are passed over
   * @returns how many bytes `target` got: 0 behind its end; undefined when there is none
   */
  peek(pcb: UdpPcb, from: number, target: Uint8Array): number | undefined {
    return peek(pcb, from, target);
  }

  /** The socket is gone at once. What it has sent leaves all the same. */
  close(pcb: UdpPcb): void {
    this.#host.removeUdp(pcb);
  }

  /** What holds for `pcb`, whether its user has set it or not: bytes, or as its field says. */
  getOption(pcb: UdpPcb, name: CommonOptionName): number {
    return getUdpOption(pcb, name);
  }

  /** @throws TcpError EINVAL when the value is none of this option, or it is too late to set it */
  setOption(pcb: UdpPcb, name: CommonOptionName, value: number): void {
    setUdpOption(this.#host, pcb, name, value);
  }

  /**
   * The socket that `record` was taken from. Its stream is empty; the caller appends to `receiveStream` the bytes from
   * RECEIVE_START to RECEIVE_END.
   * @throws RecordError the record contradicts itself or another one
   */
  restore(record: Uint8Array): UdpPcb {
    return restoreUdp(this.#host, record);
  }

  /**
   * As `restore`, after the host has gone down: a socket that was not to outlive that has nothing to read.
   * @throws RecordError the record contradicts itself or another one
   */
  salvage(record: Uint8Array): UdpPcb {
    return salvageUdp(this.#host, record);
  }
}
