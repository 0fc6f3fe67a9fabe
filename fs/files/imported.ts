import { ErrnoError, type ErrnoName } from '../../tcp/errno.ts';
import type { MovingIn } from '../../tcp/move-in.ts';
import { RecordError } from '../../tcp/record-error.ts';
import type { Call } from '../attempt.ts';
import type { Commons } from '../commons.ts';
import type { QuestionFile } from '../file.ts';
import { decodeNode } from '../node-record.ts';
import { checkRoot } from '../owner.ts';

/**
 * Takes a whole file of a connection, in as many writes as it needs; the last of them makes the connection. What can be read
 * then is its name. Only root may: a file says whose the connection is, and which sockets it has.
 */
export const imported: QuestionFile<Commons> = {
  name: 'import',
  stream: true,
  lengthOf: ({ sources }, beginning, call) => {
    checkRoot(call);
    return explained(() => sources.connectionFiles.lengthOf(beginning));
  },
  ask: (commons, file, call) => explained(() => [moveIn(commons, file, call)]),
};

function moveIn({ stack, connections, sources }: Commons, file: Uint8Array, call: Call): string {
  const { node: record, restore } = sources.connectionFiles.read(file);
  const node = decodeNode(record);
  let moving: MovingIn | undefined;
  try {
    restore((pcb) => {
      moving = stack.moveIn(pcb);
      return moving.pcb;
    });
    connections.checkMovedName(node.name, moving!.replaced?.ID);
    connections.checkUser(node);
  } catch (error) {
    moving?.cancel();
    throw error;
  }
  const { pcb, replaced } = moving!;
  if (replaced !== undefined) connections.remove(replaced.ID);
  moving!.complete(call.now, Date.now());
  return connections.adoptMoved(pcb, { ...node, mode: node.mode & 0o666, errorTold: false }).name;
}

/** What the errors of `Stack.moveIn` mean, for a person who asks why. */
const WHY: Partial<Record<ErrnoName, string>> = {
  EADDRNOTAVAIL: 'its address is not one of this daemon',
  EADDRINUSE: 'a connection of this daemon has its addresses and ports',
  ESTALE: 'the connection has been here since, or its file was given up',
};

function explained<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (error instanceof RecordError) throw new ErrnoError('EINVAL', error.message);
    if (!(error instanceof ErrnoError)) throw error;
    throw new ErrnoError(error.errno, WHY[error.errno] ?? error.message);
  }
}
