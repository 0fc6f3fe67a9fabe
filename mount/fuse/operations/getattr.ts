import { writeAttrOut } from '../attributes.ts';
import type { Operation } from '../operation.ts';
import { OutSize } from '../protocol.ts';

export const getattr: Operation = {
  minimum: 0,
  room: () => OutSize.attr,
  effect: false,
  serve(request, { tree, call, bytes, view, start }) {
    const { node } = request;
    return writeAttrOut(bytes, view, start, tree.getattr(node, call.now), tree.validity(node));
  },
};
