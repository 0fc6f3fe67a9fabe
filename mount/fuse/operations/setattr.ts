import { writeAttrOut } from '../attributes.ts';
import type { Operation } from '../operation.ts';
import { Fattr, InSize, OutSize } from '../protocol.ts';

/** Sizes and times are accepted and mean nothing: `>` truncates, and `touch` and `cp -p` set times. */
export const setattr: Operation = {
  minimum: InSize.setattr,
  room: () => OutSize.attr,
  effect: true,
  serve(request, { tree, call, bytes, view, start }) {
    const valid = request.u32(0);
    const change: { mode?: number; uid?: number; gid?: number } = {};
    if (valid & Fattr.MODE) change.mode = request.u32(68);
    if (valid & Fattr.UID) change.uid = request.u32(76);
    if (valid & Fattr.GID) change.gid = request.u32(80);
    const attributes =
      valid & (Fattr.MODE | Fattr.UID | Fattr.GID)
        ? tree.setattr(request.node, change, call)
        : tree.getattr(request.node, call.now);
    return writeAttrOut(bytes, view, start, attributes, tree.validity(request.node));
  },
};
