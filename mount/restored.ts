import { createHmac } from 'node:crypto';
import type { GrowingText } from '../fs/growing-text.ts';
import { RECORD_KINDS } from '../fs/records.ts';
import type { Sources } from '../fs/sources.ts';
import { Tree } from '../fs/tree.ts';
import { readBootId } from '../persist/boot-id.ts';
import { restoreConnections, salvageConnections } from '../persist/connections.ts';
import type { Journal } from '../persist/journal.ts';
import { Table } from '../persist/table.ts';
import { Stack, type StackOptions } from '../tcp/stack.ts';
import { entropy } from './entropy.ts';

/** A stack with all connections and UDP sockets of the store. What has to be resumed is not yet. */
export function restoreStack(
  journal: Journal,
  options: Omit<StackOptions, 'secret' | 'entropy'>,
): Stack {
  const { facts } = journal;
  const stack = new Stack({
    ...options,
    // The clock of initial sequence numbers (RFC 6528) starts over with each boot, so its secret has to differ.
    secret: createHmac('sha256', facts.secret).update(readBootId()).digest(),
    entropy,
  });
  if (journal.hostWentDown) salvageConnections(journal, stack);
  else restoreConnections(journal, stack);
  stack.nextId = Math.max(stack.nextId, facts.nextId);
  return stack;
}

/** The tree over such a stack, with all that the store has of it. */
export function restoreTree(
  journal: Journal,
  stack: Stack,
  sources: Sources,
  log?: GrowingText,
): Tree {
  const tree = new Tree(
    stack,
    {
      put: (kind, id, value) => journal.put(Table[kind], id, 0, value),
      delete: (kind, id) => journal.delete(Table[kind], id, 0),
    },
    sources,
    log,
  );
  for (const kind of RECORD_KINDS) {
    for (const { id, value } of journal.scan(Table[kind])) tree.restore(kind, id, value);
  }
  return tree;
}
