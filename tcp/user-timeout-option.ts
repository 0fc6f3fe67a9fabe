import type { Pcb } from './pcb.ts';
import type { TcpHeader } from './wire/tcp.ts';
import type { TcpOptions } from './wire/tcp-options.ts';
import { USER_TIMEOUT_SIZE } from './wire/tcp-options.ts';

/** L_LIMIT of RFC 5482 section 3.1, with the value that it recommends: R2 is 100 seconds at least (RFC 9293, SHLD-11). */
const L_LIMIT = 100_000;
/** U_LIMIT: for so long a peer may make us keep what nobody acknowledges. */
const U_LIMIT = 3600_000;

/** ENABLED of RFC 5482 section 3.1, and there is a value to tell. */
function isAdvertised(pcb: Pcb): boolean {
  return pcb.UTO === 1 && pcb.USER_TIMEOUT !== 0;
}

/** A SYN says for how long its sender waits (RFC 5482 section 3.2). */
export function putUserTimeoutInSyn(pcb: Pcb, options: TcpOptions): void {
  if (isAdvertised(pcb)) put(pcb, options);
}

/** The first segment after the SYN says it once more, and so does the next one after a change (RFC 5482 section 3.2). */
export function oweUserTimeout(pcb: Pcb): void {
  if (isAdvertised(pcb)) pcb.UTO_OWED = 1;
}

/**
 * Says it in a segment without SYN, if that is owed and there is room beside the text. Whoever has written the segment calls
 * `userTimeoutLeft`.
 * @param room bytes for further options
 */
export function putUserTimeout(pcb: Pcb, header: TcpHeader, room: number): void {
  if (pcb.UTO_OWED === 1 && room >= USER_TIMEOUT_SIZE) put(pcb, header.options);
}

export function userTimeoutLeft(pcb: Pcb, header: TcpHeader): void {
  if (header.options.hasUserTimeout) pcb.UTO_OWED = 0;
}

/**
 * The peer says for how long it waits: so do we, within limits, unless our user has said something else (CHANGEABLE of RFC 5482
 * section 3.1) or does not want to hear of it.
 */
export function noteUserTimeout(pcb: Pcb, options: TcpOptions): void {
  if (!options.hasUserTimeout || pcb.UTO === 0 || pcb.USER_TIMEOUT !== 0) return;
  pcb.REMOTE_UTO = Math.min(U_LIMIT, Math.max(L_LIMIT, options.userTimeout));
}

function put(pcb: Pcb, options: TcpOptions): void {
  options.hasUserTimeout = true;
  options.userTimeout = pcb.USER_TIMEOUT;
}
