import { LAYOUT_VERSION } from '../../persist/layout.ts';
import type { ProgramCopy } from './program-copy.ts';

export const NEXT_LAYOUT = LAYOUT_VERSION + 1;

/** What the step to the next layout makes of the TTL of every connection. */
export const NEXT_TTL = 77;

/** In the environment of a daemon: the directory in which its next engine looks for the file `held`, having made `reading`. */
export const CARRY_OVER_DIRECTORY = 'HOLDFAST_CARRY_OVER_DIRECTORY';

/** The engine waits as long as somebody holds it. */
const WAIT = `
  const directory = process.env['${CARRY_OVER_DIRECTORY}'];
  if (directory !== undefined && process.argv[1]!.endsWith('engine-main.js')) {
    fs.writeFileSync(directory + '/reading', '');
    const nobody = new Int32Array(new SharedArrayBuffer(4));
    while (fs.existsSync(directory + '/held')) Atomics.wait(nobody, 0, 0, 10);
  }`;

/** What becomes of the records: they are wider, for there is one more field, and the TTL is another one. */
const STEP = `[${LAYOUT_VERSION}, (store: RecordStore) => {
  ${WAIT}
  carryOverConnections(store);
  const { offset } = RECORD_LAYOUT.find(({ name }) => name === 'TTL')!;
  for (const { id, index, value } of store.scan(Table.connection)) {
    const record = value.slice();
    record[offset] = ${NEXT_TTL};
    store.put(Table.connection, id, index, record);
  }
}],`;

const IMPORTS = `import * as fs from 'node:fs';
import { RECORD_LAYOUT } from '../tcp/pcb.ts';
import { Table } from './table.ts';
`;

/** Makes of a program one of the next layout. */
export function makeNext(program: ProgramCopy): void {
  program.change('persist/layout.ts', (text) =>
    text.replace(/LAYOUT_VERSION = \d+/, `LAYOUT_VERSION = ${NEXT_LAYOUT}`),
  );
  program.change('tcp/pcb.ts', (text) =>
    text.replace('ID: durable.f64,', 'ID: durable.f64, OF_THE_NEXT: durable.f64,'),
  );
  program.change(
    'persist/upgrade.ts',
    (text) => IMPORTS + text.replace('new Map([', `new Map([${STEP}`),
  );
  program.build();
}
