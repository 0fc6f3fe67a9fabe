import { countDatagrams } from '../../../tcp/udp/datagram-queue.ts';
import type { Commons } from '../../commons.ts';
import { endpointLine } from '../../endpoint-line.ts';
import type { TextFile } from '../../file.ts';
import { ownerColumn } from '../../owner.ts';
import { nameColumn, tableLines } from '../../table-lines.ts';

/**
 * Every UDP socket, also those that have no directory: name, local address, remote address, datagrams not read, datagrams dropped,
 * owner.
 */
export const udpConnections: TextFile<Commons> = {
  name: 'connections',
  stream: false,
  read: (commons) => tableLines(rows(commons)),
};

function* rows({ stack, udpSockets }: Commons): Generator<(string | number)[]> {
  for (const pcb of stack.udp.pcbs.values()) {
    const node = udpSockets.find(pcb.ID)?.node;
    yield [
      node === undefined ? '' : nameColumn(node.name),
      endpointLine(pcb.local),
      endpointLine(pcb.remote),
      countDatagrams(pcb),
      pcb.DROPS,
      node === undefined ? '' : ownerColumn(node),
    ];
  }
}
