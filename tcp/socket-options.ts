import { CONGESTION_CONTROLS, congestionControlOf } from './congestion-control/selected.ts';
import type { Host } from './host.ts';
import {
  DEFAULT_KEEPALIVE_COUNT,
  DEFAULT_KEEPALIVE_IDLE,
  DEFAULT_KEEPALIVE_INTERVAL,
} from './keepalive.ts';
import type { Pcb } from './pcb.ts';
import { boundByUserTimeout } from './retransmission-timeout.ts';
import { COMMON_OPTIONS, checkOption, type SocketOption, SWITCH, upTo } from './socket-option.ts';
import { State } from './state.ts';
import { TcpError } from './tcp-error.ts';
import { oweUserTimeout } from './user-timeout-option.ts';

/** Linux's MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL, 32767 s, in milliseconds. */
const LONGEST_KEEPALIVE = 32_767_000;
/** Linux's MAX_TCP_KEEPCNT. */
const MOST_KEEPALIVES = 127;
/** Linux's TCP_MIN_MSS and MAX_TCP_WINDOW: what it takes for TCP_MAXSEG. */
const LEAST_MAXSEG = 88;
const MOST_MAXSEG = 32767;
/** RFC 9293 section 3.7.1 (MUST-15): before a peer has said what it takes. */
const MAXSEG_UNKNOWN = 536;
/** By the field of the PCB that holds it. A connection has all of them from its listener. */
const OPTIONS = {
  ...COMMON_OPTIONS,
  NODELAY: SWITCH,
  PACING: SWITCH,
  KEEPALIVE: SWITCH,
  KEEPALIVE_IDLE: upTo(LONGEST_KEEPALIVE, DEFAULT_KEEPALIVE_IDLE),
  KEEPALIVE_INTERVAL: upTo(LONGEST_KEEPALIVE, DEFAULT_KEEPALIVE_INTERVAL),
  KEEPALIVE_COUNT: upTo(MOST_KEEPALIVES, DEFAULT_KEEPALIVE_COUNT),
  USER_TIMEOUT: { least: 0, most: () => 2 ** 31 - 1 },
  MAXSEG: {
    least: LEAST_MAXSEG,
    most: () => MOST_MAXSEG,
    unset: ({ MAX_SND_MSS }) => MAX_SND_MSS || MAXSEG_UNKNOWN,
  },
  CONGESTION_CONTROL: { least: 0, most: () => CONGESTION_CONTROLS.length - 1 },
  UTO: SWITCH,
  ECN: SWITCH,
} as const satisfies Partial<Record<keyof Pcb, SocketOption<Pcb>>>;

export type SocketOptionName = keyof typeof OPTIONS;

const NAMES = Object.keys(OPTIONS) as SocketOptionName[];

/** The value that holds, also when nobody has set it. */
export function getOption(pcb: Pcb, name: SocketOptionName): number {
  const option: SocketOption<Pcb> = OPTIONS[name];
  return pcb[name] === 0 && option.unset !== undefined ? option.unset(pcb) : pcb[name];
}

/** @throws TcpError EINVAL when the value is none of this option, or it is too late to set it; ENOTCONN when the connection has moved */
export function setOption(
  host: Host,
  pcb: Pcb,
  name: SocketOptionName,
  value: number,
  now: number,
): void {
  checkOption(host, pcb, OPTIONS[name], value);
  // What is in its file stays as it is.
  if (pcb.STATE === State.MOVED) throw new TcpError('ENOTCONN');
  if (pcb[name] === value) return;
  pcb[name] = value;
  takeEffect(host, pcb, name, value, now);
}

/** Whether every option is unset or has a value that may be set. */
export function areOptionsValid(host: Host, pcb: Pcb): boolean {
  return NAMES.every((name) => {
    const { least, most }: SocketOption<Pcb> = OPTIONS[name];
    return pcb[name] === 0 || (pcb[name] >= least && pcb[name] <= most(host));
  });
}

/** A connection that `listener` has got has what was set there, as accept(2) of Linux has it. */
export function inheritOptions(pcb: Pcb, listener: Pcb): void {
  for (const name of NAMES) pcb[name] = listener[name];
}

function takeEffect(
  host: Host,
  pcb: Pcb,
  name: SocketOptionName,
  value: number,
  now: number,
): void {
  switch (name) {
    case 'SNDBUF':
    case 'RCVBUF':
      pcb.resizeBuffers();
      host.changed(pcb);
      break;
    case 'MAXSEG':
      // The peer keeps to what our SYN has offered.
      pcb.MAX_SND_MSS = Math.min(pcb.MAX_SND_MSS, value);
      pcb.SND_MSS = Math.min(pcb.SND_MSS, value);
      break;
    case 'USER_TIMEOUT':
      boundByUserTimeout(pcb, now);
      oweUserTimeout(pcb);
      break;
    case 'UTO':
      oweUserTimeout(pcb);
      break;
    case 'CONGESTION_CONTROL':
      congestionControlOf(pcb).adopt(pcb);
      break;
  }
  host.arm(pcb);
  // NODELAY lets go what waited, and a larger buffer is a wider window.
  host.wantOutput(pcb);
}
