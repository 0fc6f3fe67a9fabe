import { type Attempt, BLOCKED, type Call } from '../../fs/attempt.ts';
import type { Opened, Tree } from '../../fs/tree.ts';
import { ErrnoError, type ErrnoName } from '../../tcp/errno.ts';
import type { FileInfo } from './file-info.ts';
import { OpenFiles } from './open-files.ts';
import type { Operations, Reply } from './package.ts';
import { nameOf, parentOf } from './path.ts';
import type { Answer, NativeRequest } from './request.ts';
import { statOf } from './stat.ts';

/** As much of the tree as libfuse needs. */
export type ServedTree = Omit<Tree, 'restore' | 'freshMount' | 'settle' | 'note' | 'poll'>;

/** Bytes of the largest READ and WRITE: libfuse 2 negotiates no more than the 32 pages of old. */
const LARGEST = 131_072;

/** An id of chown(2) that is to stay as it is. */
const UNCHANGED = 0xffff_ffff;

const DONE: Answer = [0];

/**
 * What libfuse's threads ask for, as requests.
 * @param info what libfuse knows of the open file that is just being asked about
 * @param take is given each request; it calls the reply, once, when it likes
 */
export function operationsOn(
  tree: ServedTree,
  info: () => FileInfo,
  take: (request: NativeRequest) => void,
): Operations {
  const files = new OpenFiles();

  const onPath = (
    path: string,
    reply: Reply,
    { flags, effect }: { flags: number; effect: boolean },
    serve: NativeRequest['serve'],
  ) => take({ reply, handle: 0, path, flags, effect, note: 0, serve });

  const look = (path: string, reply: Reply, at: (node: number, now: number) => Answer) =>
    onPath(path, reply, { flags: 0, effect: false }, (node, { now }) => at(node, now));

  const change = (path: string, reply: Reply, act: (node: number, call: Call) => void) =>
    onPath(path, reply, { flags: 0, effect: true }, (node, call) => {
      act(node, call);
      return DONE;
    });

  const onFile = (
    file: number,
    reply: Reply,
    serve: (opened: Opened, call: Call) => Attempt<Answer>,
    flags = 0,
  ) => {
    const opened = files.find(file);
    take({
      ...{ reply, handle: opened?.handle ?? 0, path: '', flags, effect: true, note: 0 },
      serve(_node, call) {
        if (opened === undefined) throw new ErrnoError('EBADF');
        return serve(opened, call);
      },
    });
  };

  const refuse = (reply: Reply, errno: ErrnoName) =>
    look('/', reply, () => {
      throw new ErrnoError(errno);
    });

  return {
    getattr: (path, reply) =>
      look(path, reply, (node, now) => [0, statOf(tree.getattr(node, now))]),

    readdir: (path, reply) =>
      look(path, reply, (node) => {
        const entries = [...tree.readdir(node, 0)];
        return [0, entries.map(({ name }) => name), entries.map(({ type: mode }) => ({ mode }))];
      }),

    chmod: (path, mode, reply) =>
      change(path, reply, (node, call) => tree.setattr(node, { mode }, call)),

    chown: (path, uid, gid, reply) =>
      change(path, reply, (node, call) => {
        const owner = { ...(uid !== UNCHANGED && { uid }), ...(gid !== UNCHANGED && { gid }) };
        tree.setattr(node, owner, call);
      }),

    // Times and sizes are accepted and mean nothing: `touch` and `cp -p` set times, and `>` truncates.
    utimens: (path, _accessed, _modified, reply) => look(path, reply, () => DONE),
    truncate: (path, _size, reply) => look(path, reply, () => DONE),

    mkdir: (path, mode, reply) =>
      change(parentOf(path), reply, (node, call) => tree.mkdir(node, nameOf(path), mode, call)),

    rmdir: (path, reply) =>
      change(parentOf(path), reply, (node, call) => tree.rmdir(node, nameOf(path), call)),

    open: (path, flags, reply) => {
      const about = info();
      onPath(path, reply, { flags, effect: true }, (node, call) => {
        const opened = tree.open(node, flags, call);
        if (opened === BLOCKED) return BLOCKED;
        // Where a shell may seek, its `read` takes more than a line, and seeks back over what it has lost then.
        if (opened.stream) about.forbidSeeking();
        return [0, files.add(opened)];
      });
    },

    read: (_path, file, target, length, offset, reply) =>
      onFile(
        file,
        reply,
        ({ handle, stream }, call) =>
          count(tree.read(handle, offset, target.subarray(0, part(length, stream)), call)),
        info().flags,
      ),

    write: (_path, file, source, length, offset, reply) =>
      onFile(
        file,
        reply,
        ({ handle, stream }, call) =>
          count(tree.write(handle, offset, source.subarray(0, part(length, stream)), call)),
        info().flags,
      ),

    release: (_path, file, reply) =>
      onFile(file, reply, ({ handle }, call) => {
        files.delete(file);
        tree.release(handle, call.now);
        return DONE;
      }),

    create: (path, _mode, reply) => look(parentOf(path), reply, (node) => tree.create(node)),

    // What fs/namei.c gives where a directory has no such operation, as in sysfs.
    mknod: (_path, _mode, _device, reply) => refuse(reply, 'EPERM'),
    unlink: (_path, reply) => refuse(reply, 'EPERM'),
    symlink: (_target, _path, reply) => refuse(reply, 'EPERM'),
    link: (_path, _name, reply) => refuse(reply, 'EPERM'),
    rename: (_path, _name, reply) => refuse(reply, 'EPERM'),
  };
}

function count(transferred: Attempt<number>): Attempt<Answer> {
  return transferred === BLOCKED ? BLOCKED : [transferred];
}

/**
 * How much of a READ or WRITE to answer at the most. The largest may be the beginning of a read(2) or write(2) that is larger still, and
 * when it is answered in full, the kernel asks for the rest (fs/fuse/file.c, fuse_direct_io), which a stream may not have for long.
 */
function part(length: number, stream: boolean): number {
  return stream && length === LARGEST ? length - 1 : length;
}
