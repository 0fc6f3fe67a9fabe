import { assert } from '../assert.ts';
import { DURABILITIES, Durability } from '../durability.ts';
import type { Host } from '../host.ts';
import { RecordError } from '../record-error.ts';
import { UDP_RECORD_LENGTH, type UdpPcb } from './udp-pcb.ts';

/**
 * The socket that `record` was taken from. Its stream is empty; the caller appends to `receiveStream` the bytes from
 * RECEIVE_START to RECEIVE_END.
 * @throws RecordError the record contradicts itself or another one
 */
export function restoreUdp(host: Host, record: Uint8Array): UdpPcb {
  const pcb = decode(host, record);
  enlist(host, pcb);
  return pcb;
}

/**
 * The same after the host has gone down: a socket that was not to outlive that is still bound, and has nothing to read.
 * @throws RecordError the record contradicts itself or another one
 */
export function salvageUdp(host: Host, record: Uint8Array): UdpPcb {
  const pcb = decode(host, record);
  if (pcb.DURABILITY === Durability.PROCESS) pcb.RECEIVE_START = pcb.RECEIVE_END;
  enlist(host, pcb);
  return pcb;
}

/** After all restores. */
export function resumeUdp(host: Host): void {
  for (const pcb of host.udpPcbs.values()) {
    assert(pcb.isStreamComplete, 'the stream of a restored socket holds what its record says');
    host.changed(pcb);
  }
}

/** What was restored is older than what programs have seen: what waits may have been read since. */
export function abandonDatagrams(host: Host): void {
  for (const pcb of host.udpPcbs.values()) {
    pcb.dropDatagrams();
    host.changed(pcb);
  }
}

function decode(host: Host, record: Uint8Array): UdpPcb {
  check(record.length === UDP_RECORD_LENGTH, `a record of UDP has ${UDP_RECORD_LENGTH} bytes`);
  const pcb = host.adoptUdp(false);
  pcb.record.set(record);
  checkFields(pcb);
  return pcb;
}

/** Puts a restored socket where the host finds it. */
function enlist(host: Host, pcb: UdpPcb): void {
  check(host.find(pcb.ID) === undefined, `socket ${pcb.ID} is there twice`);
  host.udpPcbs.set(pcb.ID, pcb);
  host.nextId = Math.max(host.nextId, pcb.ID + 1);
  if (pcb.LOCAL_PORT === 0) return;
  const isTaken = host.udpSockets.isTaken(pcb, pcb.localAddress, pcb.LOCAL_PORT);
  check(!isTaken, `socket ${pcb.ID} has the port of another`);
  host.udpSockets.add(pcb);
}

function checkFields(pcb: UdpPcb): void {
  const { ID, RECEIVE_START, RECEIVE_END } = pcb;
  check(Number.isSafeInteger(ID) && ID > 0, 'an ID is a positive integer');
  check(pcb.DURABILITY < DURABILITIES.length, `socket ${ID} has an unknown durability`);
  check(pcb.SNDBUF < 2 ** 31 && pcb.RCVBUF < 2 ** 31, `socket ${ID} has a buffer of 2 GiB or more`);
  check(
    Number.isSafeInteger(RECEIVE_START) &&
      Number.isSafeInteger(RECEIVE_END) &&
      RECEIVE_START >= 0 &&
      RECEIVE_END >= RECEIVE_START &&
      RECEIVE_END - RECEIVE_START < 2 ** 31,
    `socket ${ID} has a stream from ${RECEIVE_START} to ${RECEIVE_END}`,
  );
  check(
    pcb.IS_CONNECTED === 0 || (pcb.LOCAL_PORT !== 0 && pcb.REMOTE_PORT !== 0),
    `socket ${ID} has a peer and no ends`,
  );
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new RecordError(what);
}
