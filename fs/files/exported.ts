import { ErrnoError } from '../../tcp/errno.ts';
import type { Connection } from '../connection.ts';
import type { BytesFile } from '../file.ts';
import { encodeNode } from '../node-record.ts';

/** All that the connection was when it moved out, for the host that it moves to; the same at every look. */
export const exported: BytesFile<Connection> = {
  name: 'export',
  stream: false,
  readAt: ({ pcb, node, connections }, offset, target) => {
    if (!pcb.hasFile) throw new ErrnoError('ENODATA');
    // Whether somebody has been told here means nothing there.
    const record = encodeNode({ ...node, errorTold: false });
    return connections.sources.connectionFiles.copy(pcb, record, offset, target);
  },
};
