import type { Pcb } from '../../tcp/pcb.ts';
import { State } from '../../tcp/state.ts';
import type { Commons } from '../commons.ts';
import { counterLines } from '../counter-lines.ts';
import type { TextFile } from '../file.ts';

/** What has happened since the engine began, and how many connections are established: one `Name: value` line each. */
export const stats: TextFile<Commons> = {
  name: 'stats',
  stream: false,
  read: ({ stack: { counters, pcbs } }) => [
    ...counterLines(counters, (name) => !name.startsWith('Udp')),
    `TcpCurrEstab: ${established(pcbs.values())}`,
  ],
};

/** As RFC 4022 counts them (tcpCurrEstab). */
function established(pcbs: Iterable<Pcb>): number {
  let count = 0;
  for (const { STATE } of pcbs) {
    if (STATE === State.ESTABLISHED || STATE === State.CLOSE_WAIT) count++;
  }
  return count;
}
