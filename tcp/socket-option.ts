import type { ControlBlock } from './control-block.ts';
import { DURABILITIES } from './durability.ts';
import type { Host } from './host.ts';
import { TcpError } from './tcp-error.ts';

/** What may be set, and what it then is. */
export interface SocketOption<Subject extends ControlBlock> {
  readonly least: number;
  readonly most: (host: Host) => number;
  /** Values are multiples of it. */
  readonly step?: number;
  /** What holds while the field is 0; else that. */
  readonly unset?: (pcb: Subject) => number;
  /** Whether it says how the local socket is bound, and stays as it is from then on. */
  readonly isOfBinding?: boolean;
}

/** What both protocols have of buffers. */
interface Buffered extends ControlBlock {
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
}

/** Room for one segment of Ethernet, about what Linux grants at least (SOCK_MIN_RCVBUF). */
const SMALLEST_BUFFER = 2048;
/** The last two bits of the field are ECN's (RFC 3168 section 5): TCP's own, and nobody's of UDP's who would answer a mark. */
const ECN_BITS = 4;

export const SWITCH: SocketOption<ControlBlock> = { least: 0, most: () => 1 };

export function upTo(most: number, unset?: number): SocketOption<ControlBlock> {
  return { least: 1, most: () => most, ...(unset !== undefined && { unset: () => unset }) };
}

/** The options that both protocols have, by the field that holds them. */
export const COMMON_OPTIONS = {
  SNDBUF: {
    least: SMALLEST_BUFFER,
    most: ({ sendBufferMax }) => sendBufferMax,
    unset: ({ sendBuffer }) => sendBuffer,
  },
  RCVBUF: {
    least: SMALLEST_BUFFER,
    most: ({ receiveBufferMax }) => receiveBufferMax,
    unset: ({ receiveBuffer }) => receiveBuffer,
  },
  TTL: upTo(255),
  TOS: { least: 0, most: () => 255, step: ECN_BITS },
  DURABILITY: { least: 0, most: () => DURABILITIES.length - 1 },
  V6ONLY: { ...SWITCH, isOfBinding: true },
} as const satisfies Record<string, SocketOption<Buffered>>;

export type CommonOptionName = keyof typeof COMMON_OPTIONS;

/** @throws TcpError EINVAL when the value is none of this option, or it is too late to set it */
export function checkOption<Subject extends ControlBlock>(
  host: Host,
  pcb: Subject,
  option: SocketOption<Subject>,
  value: number,
): void {
  const { least, most, step = 1, isOfBinding = false } = option;
  const isValue = Number.isInteger(value) && value >= least && value <= most(host);
  if (!isValue || value % step !== 0) throw new TcpError('EINVAL');
  if (isOfBinding && pcb.LOCAL_PORT !== 0) throw new TcpError('EINVAL');
}
