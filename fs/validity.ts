import { COMMON_FILES } from './files.ts';
import { CONNECTION, connectionOf, DIALED, kindOf, ROOT, TCP, UDP } from './node-id.ts';

/** For how long whoever has asked for a node need not ask again, in milliseconds. */
export interface Validity {
  /** That its name leads to it, as long as its directory is there. */
  readonly name: number;
  readonly attributes: number;
}

const LONG = 60_000;
/** Until the operation that looked for the node has also seen whether it may. */
const MOMENT = 1;

const ALWAYS_THERE: Validity = { name: LONG, attributes: LONG };
/** Connections come and go in it. The root is asked for whether anybody is there at all: of a dead mount stat(2) fails. */
const CHANGING: Validity = { name: LONG, attributes: MOMENT };
/** It is as long as its text is. */
const GROWING: Validity = { name: LONG, attributes: 0 };
/** Its name is free when the connection is gone, and then another's. */
const OF_CONNECTION: Validity = { name: 0, attributes: MOMENT };

/**
 * A number is never another node's, so what a name leads to may be kept as long as the name is not given to another. Owner and
 * permissions are changed for all nodes of a connection by way of one, and what the others had is no good any more.
 */
export function validityOf(node: number): Validity {
  const kind = kindOf(node);
  if (connectionOf(node) !== 0 && kind !== DIALED) {
    return kind === CONNECTION ? OF_CONNECTION : CHANGING;
  }
  if (node === ROOT || node === TCP || node === UDP) return CHANGING;
  for (const files of COMMON_FILES.values()) {
    if (files.get(kind)?.readAt !== undefined) return GROWING;
  }
  return ALWAYS_THERE;
}
