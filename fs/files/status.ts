import { DURABILITIES } from '../../tcp/durability.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { peerPatience } from '../../tcp/peer-patience.ts';
import type { Connection } from '../connection.ts';
import { endpointLine } from '../endpoint-line.ts';
import { errorLine } from '../error-line.ts';
import type { TextFile } from '../file.ts';
import { keyValueLines } from '../key-value-lines.ts';
import { OFF_OR_ON } from '../sockopt.ts';
import { nameColumn } from '../table-lines.ts';

/** Variables of the PCB. Bytes, sequence numbers or milliseconds, as `Pcb` says. */
const VARIABLES = [
  'BACKLOG',
  'ISS',
  'SND_UNA',
  'SND_NXT',
  'SND_WND',
  'SND_WL1',
  'SND_WL2',
  'SND_MSS',
  'MAX_SND_MSS',
  'SND_WSCALE',
  'IRS',
  'RCV_NXT',
  'RCV_WND',
  'RCV_WSCALE',
  'SEND_START',
  'SEND_END',
  'RECEIVE_START',
  'RECEIVE_END',
  'FIN_QUEUED',
  'FIN_RECEIVED',
  'SRTT',
  'RTTVAR',
  'RTO',
  'BACKOFF',
  'cwnd',
  'ssthresh',
  'DUPACKS',
  'NODELAY',
  'KEEPALIVE',
  'MOVES',
  'TTL',
  'TOS',
] as const satisfies ReadonlyArray<keyof Pcb>;

const NAMES = VARIABLES.map((name) => [name, writtenName(name)] as const);

/** Every variable worth seeing, one `key value` line each. */
export const status: TextFile<Connection> = {
  name: 'status',
  stream: false,
  read: ({ id, pcb, node }) =>
    keyValueLines([
      ['id', id],
      ['name', nameColumn(node.name)],
      ['state', pcb.state],
      ['local', endpointLine(pcb.local)],
      ['remote', endpointLine(pcb.remote)],
      ['error', errorLine(pcb.ERROR)],
      ['durability', DURABILITIES[pcb.DURABILITY]!],
      ['created', new Date(node.created).toISOString()],
      ['autoclose', OFF_OR_ON.write(Number(node.autoclose))],
      ['readable', pcb.readable],
      ['writable', pcb.writable],
      ['peer_patience_seconds', patience(pcb)],
      ...NAMES.map(([variable, name]) => [name, rounded(pcb[variable])] as const),
    ]),
};

function patience(pcb: Pcb): number | '' {
  const milliseconds = peerPatience(pcb);
  return milliseconds === undefined ? '' : Math.floor(milliseconds / 1000);
}

/** As the RFCs write it: SND.UNA. */
function writtenName(name: string): string {
  return name.replace(/^(SND|RCV)_/, '$1.');
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
