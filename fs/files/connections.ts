import type { Pcb } from '../../tcp/pcb.ts';
import { State } from '../../tcp/state.ts';
import type { Commons } from '../commons.ts';
import { endpointLine } from '../endpoint-line.ts';
import type { TextFile } from '../file.ts';
import { ownerColumn } from '../owner.ts';
import { nameColumn, tableLines } from '../table-lines.ts';

/**
 * Every connection that does not listen, also those that have no directory: name, local address, remote address, state,
 * bytes not read, bytes not acknowledged, owner.
 */
export const connections: TextFile<Commons> = {
  name: 'connections',
  stream: false,
  read: (commons) => tableLines(rows(commons)),
};

function* rows({ stack, connections }: Commons): Generator<(string | number)[]> {
  for (const pcb of stack.pcbs.values()) {
    if (pcb.STATE === State.LISTEN) continue;
    const node = connections.find(pcb.ID)?.node;
    yield [
      node === undefined ? '' : nameColumn(node.name),
      endpointLine(pcb.local),
      endpointLine(pcb.remote),
      pcb.state,
      pcb.readable,
      unacknowledged(pcb),
      node === undefined ? '' : ownerColumn(node),
    ];
  }
}

function unacknowledged({ SEND_START, SEND_END }: Pcb): number {
  return SEND_END - SEND_START;
}
