import type { ConnectionFiles } from '../fs/connection-files.ts';
import {
  ConnectionFile,
  lengthOfConnectionFile,
  readConnectionFile,
} from '../persist/connection-file.ts';

/** The files that the tree speaks of, in the layout of the store. */
export const CONNECTION_FILES: ConnectionFiles = {
  copy: (pcb, node, offset, target) => new ConnectionFile(pcb, node).copy(offset, target),
  lengthOf: lengthOfConnectionFile,
  read: readConnectionFile,
};
