import type { Operation } from '../operation.ts';

export const rmdir: Operation = {
  minimum: 1,
  room: () => 0,
  effect: true,
  serve(request, { tree, call }) {
    tree.rmdir(request.node, request.name(0), call);
    return 0;
  },
};
