import type { Operation } from './operation.ts';
import { access } from './operations/access.ts';
import { batchForget } from './operations/batch-forget.ts';
import { create } from './operations/create.ts';
import { destroy } from './operations/destroy.ts';
import { flush } from './operations/flush.ts';
import { forget } from './operations/forget.ts';
import { fsync } from './operations/fsync.ts';
import { getattr } from './operations/getattr.ts';
import { lookup } from './operations/lookup.ts';
import { mkdir } from './operations/mkdir.ts';
import { notifyReply } from './operations/notify-reply.ts';
import { open } from './operations/open.ts';
import { opendir } from './operations/opendir.ts';
import { poll } from './operations/poll.ts';
import { read } from './operations/read.ts';
import { readdir } from './operations/readdir.ts';
import { readdirplus } from './operations/readdirplus.ts';
import { refusal, refusals } from './operations/refusals.ts';
import { release } from './operations/release.ts';
import { releasedir } from './operations/releasedir.ts';
import { rmdir } from './operations/rmdir.ts';
import { setattr } from './operations/setattr.ts';
import { statfs } from './operations/statfs.ts';
import { write } from './operations/write.ts';
import { Opcode } from './protocol.ts';

/** Every opcode but INIT, which comes once for each mount, and INTERRUPT, which is about another request. */
const OPERATIONS: ReadonlyMap<number, Operation> = new Map([
  ...refusals,
  [Opcode.LOOKUP, lookup],
  [Opcode.FORGET, forget],
  [Opcode.GETATTR, getattr],
  [Opcode.SETATTR, setattr],
  [Opcode.CREATE, create],
  [Opcode.MKDIR, mkdir],
  [Opcode.RMDIR, rmdir],
  [Opcode.OPEN, open],
  [Opcode.READ, read],
  [Opcode.WRITE, write],
  [Opcode.STATFS, statfs],
  [Opcode.RELEASE, release],
  [Opcode.FSYNC, fsync],
  [Opcode.FLUSH, flush],
  [Opcode.OPENDIR, opendir],
  [Opcode.READDIR, readdir],
  [Opcode.RELEASEDIR, releasedir],
  [Opcode.FSYNCDIR, fsync],
  [Opcode.ACCESS, access],
  [Opcode.DESTROY, destroy],
  [Opcode.POLL, poll],
  [Opcode.NOTIFY_REPLY, notifyReply],
  [Opcode.BATCH_FORGET, batchForget],
  [Opcode.READDIRPLUS, readdirplus],
  [Opcode.SYNCFS, fsync],
]);

/** An opcode of a later kernel. */
const unknown = refusal('EOPNOTSUPP');

export function operationOf(opcode: number): Operation {
  return OPERATIONS.get(opcode) ?? unknown;
}
