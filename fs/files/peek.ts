import { ErrnoError } from '../../tcp/errno.ts';
import { State } from '../../tcp/state.ts';
import { BLOCKED } from '../attempt.ts';
import type { Connection } from '../connection.ts';
import type { BytesFile } from '../file.ts';
import { isComplete, untoldError } from '../stream-end.ts';
import { news, pollRead } from './data.ts';

/**
 * What `data` would give, without taking it (recv(2), MSG_PEEK). Offset 0 is the oldest byte that nobody has read: so a
 * reader goes on behind what it has seen, and sees all of it again from the beginning.
 */
export const peek: BytesFile<Connection> = {
  name: 'peek',
  stream: false,
  readAt: (connection, offset, target) => {
    const { pcb } = connection;
    const given = pcb.peek(offset, target);
    if (given > 0 || target.length === 0) return given;
    if (pcb.FIN_RECEIVED === 1 && pcb.STATE !== State.MOVED) return 0;
    const error = untoldError(connection);
    if (error !== undefined) throw new ErrnoError(error);
    if (isComplete(pcb)) return 0;
    if (pcb.STATE === State.CLOSED || pcb.STATE === State.LISTEN) throw new ErrnoError('ENOTCONN');
    return BLOCKED;
  },
  poll: pollRead,
  news,
};
