import { ACCEPT_DATA, COMMON_FILES } from './files.ts';
import { CONNECTION, connectionOf, DIALED, fileNode, kindOf, ROOT, TCP, UDP } from './node-id.ts';

/** For how long whoever has asked for a node need not ask again, in milliseconds. */
export interface Validity {
  /** That its name leads to it, as long as its directory is there. */
  readonly name: number;
  readonly attributes: number;
}

const LONG = 60_000;
/** What is told of a change asks again then, should it have been told before the first that there was to know. */
const UNTIL_TOLD = 1000;
/** As long as nobody minds how many connections there are by then, and since when. */
const A_WHILE = 20;
/** Until the operation that looked for the node has also seen whether it may. */
const MOMENT = 1;

const ALWAYS_THERE: Validity = { name: LONG, attributes: LONG };
/** The root is asked for whether anybody is there at all: of a dead mount stat(2) fails. */
const CHANGING: Validity = { name: LONG, attributes: MOMENT };
/** Connections come and go in it, and nothing else about it changes. */
const COUNTING: Validity = { name: LONG, attributes: A_WHILE };
/** It is as long as its text is. */
const GROWING: Validity = { name: LONG, attributes: 0 };
/**
 * What everybody passes by who opens something of a connection: see `longKept`. Whoever comes by a name to what is gone is told
 * ESTALE, and asks for the name again (fs/namei.c), as does whoever wants to give it to another (LOOKUP_EXCL).
 */
const ON_THE_WAY: Validity = { name: UNTIL_TOLD, attributes: UNTIL_TOLD };

/**
 * A number is never another node's, so what a name leads to may be kept as long as the name is not given to another. Owner and
 * permissions are changed for all nodes of a connection by way of one, and what the others had is no good any more.
 */
export function validityOf(node: number): Validity {
  const kind = kindOf(node);
  if (connectionOf(node) !== 0 && kind !== DIALED) {
    return kind === CONNECTION || kind === ACCEPT_DATA ? ON_THE_WAY : CHANGING;
  }
  if (node === ROOT) return CHANGING;
  if (node === TCP || node === UDP) return COUNTING;
  for (const files of COMMON_FILES.values()) {
    if (files.get(kind)?.readAt !== undefined) return GROWING;
  }
  return ALWAYS_THERE;
}

/** The nodes of a connection whose attributes are kept for longer, so that whoever has them is to be told when they change or are gone. */
export function longKept(connection: number): readonly number[] {
  return [fileNode(connection, CONNECTION), fileNode(connection, ACCEPT_DATA)];
}
