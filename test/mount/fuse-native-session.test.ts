import { constants } from 'node:os';
import t from 'tap';
import type { FileInfo } from '../../mount/fuse-native/file-info.ts';
import { HELD_REPLY_SIZE } from '../../mount/fuse-native/held-replies.ts';
import type { Operations, Reply } from '../../mount/fuse-native/package.ts';
import { Session } from '../../mount/fuse-native/session.ts';
import { Outbox } from '../../mount/outbox.ts';
import { Replies } from '../../mount/replies.ts';
import { O_RDONLY, O_RDWR, World } from '../fs/world.ts';

const { EAGAIN, EBADF, EINVAL, ENOENT, EPERM } = constants.errno;
const O_NONBLOCK = 0o4000;
const SIZE = 65_536;

/** What one call of libfuse comes to; empty as long as its thread waits. */
type Told = [number, ...unknown[]][];

/** A session that libfuse's threads can be played to, and its outboxes. */
class Played {
  readonly world = new World();
  readonly session: Session;
  readonly power: Outbox;
  readonly process: Outbox;
  operations!: Operations;
  /** The flags of the open file that is asked about. */
  flags = 0;
  seekingForbidden = 0;
  outlivesHost = (_connection: number) => false;
  #turn = 0;

  private constructor(size: number) {
    [this.process, this.power] = [this.#outbox(size), this.#outbox(size)];
    this.session = new Session({
      tree: this.world.tree,
      replies: new Replies(this.process.replies, this.power.replies, (id) => this.outlivesHost(id)),
      mounting: {
        hasEnded: false,
        mount: async (operations) => {
          this.operations = operations(() => this.#info());
        },
      },
    });
  }

  static async start(size = SIZE): Promise<Played> {
    const played = new Played(size);
    await played.session.start();
    return played;
  }

  /** A call of libfuse, which waits from now on. */
  call(make: (operations: Operations, reply: Reply) => void): Told {
    const told: Told = [];
    make(this.operations, (...answer) => told.push(answer));
    return told;
  }

  /** Serves what has come, and lets nothing out. */
  serve(): void {
    const { world, session } = this;
    session.drain(world.now);
    world.settle();
    for (const { ID } of world.takeChanged()) session.wake(ID, world.now);
    this.#turn += 1;
    this.process.seal(this.#turn);
    this.power.seal(this.#turn);
  }

  /** Serves what has come, and lets out what a death of the engine does not take. */
  turn(): void {
    this.serve();
    this.process.release(this.#turn);
  }

  /** Opens a file, and gives libfuse's number of it. */
  open(path: string, flags: number): number {
    const told = this.call((operations, reply) => operations.open(path, flags, reply));
    this.turn();
    return told[0]![1] as number;
  }

  #info(): FileInfo {
    const forbidSeeking = () => {
      this.seekingForbidden += 1;
    };
    return { flags: this.flags, forbidSeeking } as FileInfo;
  }

  #outbox(size: number): Outbox {
    const bytes = new Uint8Array(size);
    const memory = { bytes, view: new DataView(bytes.buffer), address: 0 };
    return new Outbox(
      memory,
      (offset) => this.session.send(memory, offset),
      () => {},
    );
  }
}

t.test('nothing is told before its turn is committed', async (t) => {
  const played = await Played.start();
  const told = played.call(({ mkdir }, reply) => mkdir('/tcp/chat', 0o755, reply));
  t.same(told, []);
  played.serve();
  t.equal(played.world.names().includes('chat'), true, 'it has been made');
  t.same(told, []);
  played.turn();
  t.same(told, [[0]]);
});

t.test('what changes something that outlives the host waits for the disk', async (t) => {
  const played = await Played.start();
  const looked = played.call(({ getattr }, reply) => getattr('/tcp', reply));
  const made = played.call(({ mkdir }, reply) => mkdir('/tcp/chat', 0o755, reply));
  played.outlivesHost = () => true;
  played.turn();
  t.equal(looked.length, 1);
  t.same(made, []);
  played.power.release(1);
  t.same(made, [[0]]);
});

t.test('a reader waits, and holds nobody else up', async (t) => {
  const played = await Played.start();
  const peer = played.world.establish('chat');
  const file = played.open('/tcp/chat/data', O_RDWR);
  const target = new Uint8Array(100);
  const read = played.call((operations, reply) =>
    operations.read('', file, target, target.length, 0, reply),
  );
  const looked = played.call(({ getattr }, reply) => getattr('/tcp/chat', reply));
  played.turn();
  t.same(read, []);
  t.equal(looked[0]?.[0], 0);
  played.world.sendThere(peer, 'hello');
  played.turn();
  t.same(read, [[5]]);
  t.equal(Buffer.from(target.subarray(0, 5)).toString(), 'hello');

  played.flags = O_NONBLOCK;
  const tried = played.call((operations, reply) =>
    operations.read('', file, target, target.length, 0, reply),
  );
  played.turn();
  t.same(tried, [[-EAGAIN]]);
});

t.test(
  'a stream cannot be sought in, and its largest reads and writes are not the whole',
  async (t) => {
    const played = await Played.start();
    const peer = played.world.establish('chat');
    const text = played.open('/tcp/chat/state', O_RDONLY);
    t.equal(played.seekingForbidden, 0);
    const file = played.open('/tcp/chat/data', O_RDWR);
    t.equal(played.seekingForbidden, 1);
    t.not(text, file);

    const largest = new Uint8Array(131_072);
    const send = () =>
      played.call((operations, reply) =>
        operations.write('', file, largest, largest.length, 0, reply),
      );
    for (let sent = 0; sent < largest.length; ) {
      const written = send();
      for (played.turn(); written.length === 0; played.turn()) {
        played.world.receiveThere(peer);
        played.world.pass(10);
      }
      t.ok(written[0]![0] < largest.length);
      sent += written[0]![0];
    }
  },
);

t.test('there is no room for a reply, and nothing happens until there is', async (t) => {
  const played = await Played.start(4 * 8);
  const told = Array.from({ length: 12 }, (_, number) =>
    played.call(({ mkdir }, reply) => mkdir(`/tcp/c${number}`, 0o755, reply)),
  );
  t.ok(HELD_REPLY_SIZE * told.length > 32);
  played.serve();
  t.ok(played.session.waiting);
  t.ok(played.world.names().length < told.length);
  while (played.session.waiting) played.turn();
  t.same(told, Array(told.length).fill([[0]]));
});

t.test('what fails', async (t) => {
  const played = await Played.start();
  const failures: [number, (operations: Operations, reply: Reply) => void][] = [
    [ENOENT, ({ getattr }, reply) => getattr('/tcp/nobody', reply)],
    [ENOENT, ({ open }, reply) => open('/tcp/nobody/data', O_RDWR, reply)],
    [EPERM, ({ mkdir }, reply) => mkdir('/elsewhere', 0o755, reply)],
    [EPERM, ({ unlink }, reply) => unlink('/tcp/stats', reply)],
    // What fuse-native makes of a byte that is not UTF-8.
    [EINVAL, ({ mkdir }, reply) => mkdir('/tcp/\ufffd', 0o755, reply)],
    [EBADF, ({ read }, reply) => read('', 7, new Uint8Array(1), 1, 0, reply)],
    [EBADF, ({ release }, reply) => release('', 7, reply)],
  ];
  for (const [errno, make] of failures) {
    const told = played.call(make);
    played.turn();
    t.same(told, [[-errno]]);
  }
});

t.test('the number of a file that was closed is given to another', async (t) => {
  const played = await Played.start();
  const file = played.open('/status', O_RDONLY);
  const released = played.call(({ release }, reply) => release('', file, reply));
  played.turn();
  t.same(released, [[0]]);
  const read = played.call((operations, reply) =>
    operations.read('', file, new Uint8Array(1), 1, 0, reply),
  );
  played.turn();
  t.same(read, [[-EBADF]]);
  t.equal(played.open('/README', O_RDONLY), file);
});
