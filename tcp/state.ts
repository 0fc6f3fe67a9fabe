/** The states of a connection (RFC 9293 section 3.3.2), and one that TCP has no name for. The numbers are in the journal. */
export const State = {
  CLOSED: 0,
  LISTEN: 1,
  SYN_SENT: 2,
  SYN_RECEIVED: 3,
  ESTABLISHED: 4,
  FIN_WAIT_1: 5,
  FIN_WAIT_2: 6,
  CLOSE_WAIT: 7,
  CLOSING: 8,
  LAST_ACK: 9,
  TIME_WAIT: 10,
  /** Another host speaks for it, or will: see move-out.ts. */
  MOVED: 11,
} as const;

export type State = (typeof State)[keyof typeof State];

const NAMES = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
  'MOVED',
] as const;

export type StateName = (typeof NAMES)[number];

export const STATE_COUNT = NAMES.length;

/** The name that RFC 9293 writes, or MOVED. */
export function stateName(state: number): StateName {
  return NAMES[state]!;
}

/** Whether both sides know each other's sequence numbers (RFC 9293 section 3.5.1: "synchronized state"). */
export function isSynchronized(state: number): boolean {
  return state >= State.ESTABLISHED && state !== State.MOVED;
}

/** Whether there is a peer, and we are the one who speaks to it. */
export function maySpeak(state: number): boolean {
  return state !== State.CLOSED && state !== State.LISTEN && state !== State.MOVED;
}

/** Whether the peer may still send text that the user wants (RFC 9293 section 3.10.7.4, seventh). */
export function mayReceiveText(state: number): boolean {
  return state === State.ESTABLISHED || state === State.FIN_WAIT_1 || state === State.FIN_WAIT_2;
}
