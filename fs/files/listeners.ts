import { State } from '../../tcp/state.ts';
import type { Commons } from '../commons.ts';
import { endpointLine } from '../endpoint-line.ts';
import type { TextFile } from '../file.ts';
import { ownerColumn } from '../owner.ts';
import { nameColumn, tableLines } from '../table-lines.ts';

/** Every connection that listens: name, local address, how many wait to be accepted, backlog, owner. */
export const listeners: TextFile<Commons> = {
  name: 'listeners',
  stream: false,
  read: (commons) => tableLines(rows(commons)),
};

function* rows({ stack, connections }: Commons): Generator<(string | number)[]> {
  for (const { node, pcb } of connections.after(0)) {
    if (pcb.STATE !== State.LISTEN) continue;
    const { BACKLOG, local } = pcb;
    yield [
      nameColumn(node.name),
      endpointLine(local),
      stack.waiting(pcb),
      BACKLOG,
      ownerColumn(node),
    ];
  }
}
