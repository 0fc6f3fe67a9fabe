import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Control } from '../../mount/control.ts';

interface Message {
  readonly text: string;
}

/** Both ends of a Unix socket. */
async function socketPair(t: Test): Promise<[Socket, Socket]> {
  // tap's own directories have names that are too long for a socket.
  const directory = mkdtempSync('/tmp/holdfast-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'control');
  const server = createServer({ pauseOnConnect: true }).listen(path);
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = createConnection(path);
  const far = await accepted;
  server.close();
  return [near, far];
}

t.test('a message arrives whole, however it was cut', async (t) => {
  const [near, far] = await socketPair(t);
  const received: Message[] = [];
  const closed = new Promise<void>((resolve) => {
    new Control<Message, Message>(near, (message) => received.push(message), resolve);
  });
  for (const piece of ['{"te', 'xt":"one"}\n{"text":"two"}', '\n']) far.write(piece);
  far.end();
  await closed;
  t.same(received, [{ text: 'one' }, { text: 'two' }]);
});

t.test(
  'the other side dies with messages unread: that is its end, and no error of ours',
  async (t) => {
    const [near, far] = await socketPair(t);
    let control!: Control<Message, Message>;
    const closed = new Promise<void>((resolve) => {
      control = new Control<Message, Message>(near, () => {}, resolve);
    });
    control.send({ text: 'nobody reads this' });
    await control.flush();
    far.destroy();
    await closed;
    t.pass('closed');
  },
);
