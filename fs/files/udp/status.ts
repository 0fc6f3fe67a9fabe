import { DURABILITIES } from '../../../tcp/durability.ts';
import { countDatagrams } from '../../../tcp/udp/datagram-queue.ts';
import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';
import type { Connection } from '../../connection.ts';
import { endpointLine } from '../../endpoint-line.ts';
import { errorLine } from '../../error-line.ts';
import type { TextFile } from '../../file.ts';
import { keyValueLines } from '../../key-value-lines.ts';
import { OFF_OR_ON } from '../../sockopt.ts';
import { nameColumn } from '../../table-lines.ts';

/** Every variable worth seeing, one `key value` line each. */
export const udpStatus: TextFile<Connection<UdpPcb>> = {
  name: 'status',
  stream: false,
  read: ({ id, pcb, node }) =>
    keyValueLines([
      ['id', id],
      ['name', nameColumn(node.name)],
      ['local', endpointLine(pcb.local)],
      ['remote', endpointLine(pcb.remote)],
      ['source', endpointLine(pcb.source)],
      ['connected', OFF_OR_ON.write(pcb.IS_CONNECTED)],
      ['headers', OFF_OR_ON.write(pcb.HEADERS)],
      ['error', errorLine(pcb.ERROR)],
      ['durability', DURABILITIES[pcb.DURABILITY]!],
      ['created', new Date(node.created).toISOString()],
      ['autoclose', OFF_OR_ON.write(Number(node.autoclose))],
      ['readable_datagrams', countDatagrams(pcb)],
      ['readable_bytes', pcb.RECEIVE_END - pcb.RECEIVE_START],
      ['dropped_datagrams', pcb.DROPS],
      ['TTL', pcb.TTL],
      ['TOS', pcb.TOS],
    ]),
};
