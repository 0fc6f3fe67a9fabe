import type { Endpoint } from './address.ts';
import { offerEcn } from './ecn.ts';
import { anyPort, isBoundFor, localAddressOf, remoteAddressOf } from './endpoints.ts';
import type { Host } from './host.ts';
import { initialSequenceNumber } from './isn.ts';
import type { Pcb } from './pcb.ts';
import { initialReceiveWindow, windowScaleFor } from './receive-window.ts';
import { INITIAL_RTO } from './retransmission-timeout.ts';
import { demandRoom } from './room.ts';
import { seqAdd, seqLessOrEqual } from './sequence.ts';
import { State } from './state.ts';
import { TcpError } from './tcp-error.ts';
import { beginTimestamps } from './timestamps.ts';

/** As far beyond the old numbers as an old duplicate without window scaling could reach. */
const MAX_UNSCALED_WINDOW = 0x10000;

/** Linux's net.core.somaxconn. */
const MAX_BACKLOG = 4096;

/**
 * Gives `pcb` its local socket. Port 0 asks for any free one; 0.0.0.0 stands for all IPv4 addresses of the stack, `::` for all
 * of either version, or of IPv6 alone with V6ONLY.
 * @throws TcpError EINVAL already bound or open, or not an address; EADDRNOTAVAIL not ours; EADDRINUSE
 */
export function bind(host: Host, pcb: Pcb, local: Endpoint): void {
  if (pcb.STATE !== State.CLOSED || pcb.LOCAL_PORT !== 0) throw new TcpError('EINVAL');
  const address = localAddressOf(host, local);
  const isBound = (port: number) => host.bound.isTaken(pcb, address, port);
  const port = local.port === 0 ? anyPort(host, host.address, address, 0, isBound) : local.port;
  if (port === undefined || isBound(port)) throw new TcpError('EADDRINUSE');
  pcb.localAddress = address;
  pcb.LOCAL_PORT = port;
  pcb.IS_BOUND = 1;
  host.bound.add(pcb);
  host.changed(pcb);
}

/**
 * Passive OPEN (RFC 9293 section 3.10.1). In LISTEN it changes the backlog. Who has not bound a socket gets any port of all
 * addresses, as from Linux (inet_csk_listen_start in net/ipv4/inet_connection_sock.c).
 * @param backlog one less than how many connections may wait to be accepted, at most 4096
 * @throws TcpError EINVAL no backlog, or connected; EADDRINUSE no port is free
 */
export function listen(host: Host, pcb: Pcb, backlog: number): void {
  if (!Number.isInteger(backlog) || backlog < 0) throw new TcpError('EINVAL');
  if (pcb.STATE !== State.LISTEN) {
    if (pcb.STATE !== State.CLOSED || pcb.REMOTE_PORT !== 0) throw new TcpError('EINVAL');
    if (pcb.LOCAL_PORT === 0) bind(host, pcb, { address: '::', port: 0 });
    host.setState(pcb, State.LISTEN);
    host.listeners.add(pcb);
    host.waiting.set(pcb.ID, { established: [], synReceived: 0, unanswered: 0 });
  }
  pcb.BACKLOG = Math.min(backlog, MAX_BACKLOG);
}

/**
 * Active OPEN (RFC 9293 section 3.10.1). An attempt that failed may be made again.
 * @throws TcpError EALREADY, EISCONN; EINVAL not an address; ENETUNREACH not an address of one host; ECONNREFUSED
 * port 0; EAFNOSUPPORT bound to an address of the other version of IP; EADDRNOTAVAIL no local port is free, or this pair of sockets is connected already
 */
export function connect(host: Host, pcb: Pcb, remote: Endpoint, now: number): void {
  if (pcb.STATE === State.SYN_SENT || pcb.STATE === State.SYN_RECEIVED) {
    throw new TcpError('EALREADY');
  }
  if (pcb.STATE !== State.CLOSED || hasCarriedAnything(pcb)) throw new TcpError('EISCONN');
  const address = remoteAddressOf(host, remote);
  if (remote.port === 0) throw new TcpError('ECONNREFUSED');
  demandRoom(host);

  const local = host.addressTowards(address);
  if (hasChosenAddress(pcb) && !isBoundFor(pcb, local)) throw new TcpError('EAFNOSUPPORT');
  const isTaken = (port: number) =>
    host.connections.find(local, port, address, remote.port) !== undefined;
  const isInUse = (port: number) => host.bound.hasPort(port) || isTaken(port);
  const port =
    pcb.IS_BOUND === 1 ? pcb.LOCAL_PORT : anyPort(host, local, address, remote.port, isInUse);
  if (port === undefined || isTaken(port)) throw new TcpError('EADDRNOTAVAIL');

  pcb.localAddress = local;
  pcb.LOCAL_PORT = port;
  pcb.remoteAddress = address;
  pcb.REMOTE_PORT = remote.port;
  pcb.ERROR = 0;
  begin(host, pcb, now);
  if (pcb.ECN === 1) offerEcn(pcb);
  host.setState(pcb, State.SYN_SENT);
  host.counters.TcpActiveOpens++;
  host.connections.add(pcb);
  host.wantOutput(pcb);
}

/**
 * The oldest connection of `listener` that waits, now its caller's; undefined when none does.
 * @throws TcpError EINVAL not listening
 */
export function accept(host: Host, listener: Pcb): Pcb | undefined {
  const waiting = host.waiting.get(listener.ID);
  if (waiting === undefined) throw new TcpError('EINVAL');
  const pcb = waiting.established.shift();
  if (pcb === undefined) return undefined;
  pcb.LISTENER = 0;
  pcb.QUEUE_ORDER = 0;
  return pcb;
}

/**
 * What both kinds of open begin with: a PCB with both sockets gets its initial sequence number and what it will offer.
 * @param lastUsed a sequence number that the initial one must be beyond
 */
export function begin(host: Host, pcb: Pcb, now: number, lastUsed?: number): void {
  const ISN = initialSequenceNumber(
    host.secret,
    pcb.localAddress,
    pcb.LOCAL_PORT,
    pcb.remoteAddress,
    pcb.REMOTE_PORT,
    now,
  );
  // Text that flowed faster than the clock of ISNs has left it behind (RFC 9293 section 3.6.1).
  const isBehind = lastUsed !== undefined && seqLessOrEqual(ISN, lastUsed);
  pcb.ISS = isBehind ? seqAdd(lastUsed, MAX_UNSCALED_WINDOW) : ISN;
  pcb.SND_UNA = pcb.ISS;
  pcb.SND_NXT = pcb.ISS;
  pcb.SND_SML = pcb.ISS;
  pcb.SYN_NOW = 1;
  pcb.recover = pcb.ISS;
  beginTimestamps(host, pcb, now);
  // RCV.NXT is not known yet, but how much may follow it is.
  pcb.RCV_ADV = seqAdd(pcb.RCV_NXT, initialReceiveWindow(pcb));
  pcb.RCV_WSCALE = windowScaleFor(host.receiveBufferMax);
  pcb.SND_WSCALE = 0;
  pcb.NEGOTIATED = 0;
  pcb.RTO = INITIAL_RTO;
  pcb.SRTT = 0;
  pcb.BACKOFF = 0;
  pcb.SOFT_ERROR = 0;
  pcb.LAST_HEARD = now;
}

/** Whether the local address is one that the user has given to `bind`. */
function hasChosenAddress(pcb: Pcb): boolean {
  return pcb.IS_BOUND === 1 && pcb.REMOTE_PORT === 0;
}

function hasCarriedAnything(pcb: Pcb): boolean {
  return pcb.SEND_END + pcb.RECEIVE_END + pcb.FIN_QUEUED + pcb.FIN_RECEIVED !== 0;
}
