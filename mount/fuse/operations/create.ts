import type { Operation } from '../operation.ts';

/** Of a name that LOOKUP did not find: the tree has no file that a program could make. */
export const create: Operation = {
  minimum: 0,
  room: () => 0,
  effect: false,
  serve: (request, { tree }) => tree.create(request.node),
};
