import { Pcb, RECORD_LAYOUT } from '../../tcp/pcb.ts';
import type { Stack } from '../../tcp/stack.ts';
import { UDP_RECORD_LAYOUT, type UdpPcb } from '../../tcp/udp/udp-pcb.ts';

const DURABLE = RECORD_LAYOUT.filter(({ kind }) => kind === 'durable').map(({ name }) => name);
const UDP_DURABLE = UDP_RECORD_LAYOUT.filter(({ kind }) => kind === 'durable').map(
  ({ name }) => name,
);

/** What of a connection or a UDP socket a restore must bring back to the last bit. */
export interface DurableState {
  readonly fields: Readonly<Record<string, number>>;
  /** What was sent and is not acknowledged, as far as the engine knows, in hexadecimal: a restore may know of less. */
  readonly unacknowledged: string;
  readonly unread: string;
}

export function durableStatesOf(stack: Stack): DurableState[] {
  const all = [...stack.pcbs.values(), ...stack.udp.pcbs.values()];
  return all.sort((a, b) => a.ID - b.ID).map(durableStateOf);
}

function durableStateOf(pcb: Pcb | UdpPcb): DurableState {
  const { RECEIVE_START, RECEIVE_END, receiveStream } = pcb;
  const values = pcb as unknown as Readonly<Record<string, number>>;
  const unread = new Uint8Array(RECEIVE_END - RECEIVE_START);
  receiveStream.copy(RECEIVE_START, unread.length, unread);
  const names = pcb instanceof Pcb ? DURABLE : UDP_DURABLE;
  return {
    fields: Object.fromEntries(names.map((name) => [name, values[name]!])),
    unacknowledged: pcb instanceof Pcb ? unacknowledgedOf(pcb) : '',
    unread: Buffer.from(unread).toString('hex'),
  };
}

function unacknowledgedOf({ SEND_START, SEND_END, sendStream }: Pcb): string {
  const bytes = new Uint8Array(SEND_END - SEND_START);
  sendStream.copy(SEND_START, bytes.length, bytes);
  return Buffer.from(bytes).toString('hex');
}

/** Where `restored` is not what `committed` was; undefined: nowhere. */
export function difference(
  committed: readonly DurableState[],
  restored: readonly DurableState[],
): string | undefined {
  if (committed.length !== restored.length) {
    return `${restored.length} connections instead of ${committed.length}`;
  }
  for (const [i, was] of committed.entries()) {
    const is = restored[i]!;
    for (const name of Object.keys(was.fields)) {
      if (is.fields[name] !== was.fields[name]) {
        return `${name} is ${is.fields[name]} instead of ${was.fields[name]}`;
      }
    }
    if (is.unread !== was.unread) return 'other bytes to read';
    if (!is.unacknowledged.endsWith(was.unacknowledged)) return 'other bytes to send';
  }
  return undefined;
}
