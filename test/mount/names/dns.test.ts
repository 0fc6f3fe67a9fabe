import t from 'tap';
import { HostNames } from '../../../mount/names/host-names.ts';
import { ErrnoError } from '../../../tcp/errno.ts';
import { HERE, THERE, World } from '../../fs/world.ts';
import { seeded } from '../../seeded.ts';
import { type Asked, messageOf, NameServer, type Saying } from './name-server.ts';

const NXDOMAIN = 3;
const SERVFAIL = 2;
const NOBODY = '10.7.0.99';

const address = (name: string, data: string, ttl = 300) =>
  ({ type: 'A', name, data, ttl, class: 'IN' }) as const;
const alias = (name: string, data: string, ttl = 300) =>
  ({ type: 'CNAME', name, data, ttl, class: 'IN' }) as const;
const authority = (minimum: number) =>
  ({
    type: 'SOA',
    name: 'example.com',
    ttl: 3600,
    class: 'IN',
    data: { mname: 'a', rname: 'b', minimum },
  }) as const;

/** Somebody who asks, and a name server, each on a stack of its own. */
class Scene {
  readonly world = new World();
  readonly server = new NameServer(this.world.there);
  readonly names: HostNames;
  answered: number[] = [];

  constructor(resolvConf = `nameserver ${THERE}`) {
    const random = seeded(1);
    this.names = new HostNames({
      stack: this.world.here,
      entropy: () => random(2 ** 32),
      files: {
        hosts: () => '',
        services: () => '',
        resolvConf: () => resolvConf,
        upstreamResolvConf: () => `nameserver ${THERE}`,
      },
    });
  }

  /** Lets packets and answers arrive until there are none. */
  settle(): void {
    const { world, names, server } = this;
    do {
      world.settle();
      names.note(world.takeChanged(), world.now);
      this.answered.push(...names.takeAnswered());
    } while (server.serve(world.now));
    world.settle();
    names.note(world.takeChanged(), world.now);
    this.answered.push(...names.takeAnswered());
  }

  pass(milliseconds: number): void {
    const { world, names } = this;
    const end = world.now + milliseconds;
    while (names.deadline <= end) {
      world.pass(Math.max(0, names.deadline - world.now));
      names.tick(world.now);
      this.settle();
    }
    world.pass(end - world.now);
    this.settle();
  }

  /** What comes of a name, in whatever time that takes. */
  find(name: string): readonly string[] | string {
    const { world, names } = this;
    this.answered = [];
    for (let second = 0; second < 120; second++) {
      try {
        const addresses = names.addresses(name, 7, world.now);
        if (addresses !== undefined) return addresses;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        return `${error.errno} ${error.message}`;
      }
      this.settle();
      if (!this.answered.includes(7)) this.pass(1000);
    }
    throw new Error('still not found after two minutes');
  }

  /** What was asked for, in turn. */
  get asked(): string[] {
    return this.server.asked.map(({ question }) => `${question.type} ${question.name}`);
  }
}

t.test('an address', async (t) => {
  const scene = new Scene();
  scene.server.say = () => ({
    answers: [address('db.example.com', '10.7.0.3'), address('DB.example.com', '10.7.0.4')],
  });
  const { names, world } = scene;
  t.equal(names.addresses('db.example.com', 7, world.now), undefined);
  t.equal(names.addresses('DB.Example.com', 8, world.now), undefined);
  t.not(names.deadline, Infinity);
  scene.settle();
  t.same(scene.answered, [7, 8]);
  t.same(names.addresses('db.example.com', 7, world.now), ['10.7.0.3', '10.7.0.4']);
  t.same(scene.asked, ['A db.example.com'], 'once for both');
  t.equal(names.deadline, Infinity);
  t.equal(world.here.udp.pcbs.size, 0, 'nothing is left');
});

t.test('what was found is remembered as long as it holds', async (t) => {
  const scene = new Scene();
  let ttl = 60;
  scene.server.say = ({ question }) => ({ answers: [address(question.name, '10.7.0.3', ttl)] });
  scene.find('db.org');
  scene.pass(59_000);
  t.same(scene.names.addresses('db.org', 0, scene.world.now), ['10.7.0.3']);
  scene.pass(1000);
  t.equal(scene.names.addresses('db.org', 0, scene.world.now), undefined);
  t.equal(scene.asked.length, 1);
  scene.settle();
  t.equal(scene.asked.length, 2);
  ttl = 0;
  t.same(
    scene.find('now.org'),
    ['10.7.0.3'],
    'who has waited has the answer, however short it holds',
  );
});

t.test('aliases', async (t) => {
  const scene = new Scene();
  scene.server.say = ({ question: { name } }): Saying => {
    switch (name) {
      case 'www.org':
        return {
          answers: [
            alias('www.org', 'a.org', 20),
            alias('a.org', 'b.org'),
            address('b.org', '10.7.0.3'),
            address('c.org', '10.7.0.4'),
          ],
        };
      case 'half.org':
        return { answers: [alias('half.org', 'rest.org')] };
      case 'rest.org':
        return { answers: [address('rest.org', '10.7.0.5')] };
      default:
        return { answers: [alias('round.org', 'round2.org'), alias('round2.org', 'round.org')] };
    }
  };
  t.same(scene.find('www.org'), ['10.7.0.3'], 'c.org is somebody else');
  t.same(scene.find('half.org'), ['10.7.0.5'], 'the rest is asked for');
  t.match(scene.find('round.org'), 'ENOENT round.org: no address');
});

t.test('names that are not there', async (t) => {
  const scene = new Scene(`nameserver ${THERE}\nsearch one.org two.org`);
  scene.server.say = ({ question: { name } }) =>
    name === 'db.two.org'
      ? { answers: [address(name, '10.7.0.3')] }
      : name === 'empty.net'
        ? { authorities: [authority(60)] }
        : { rcode: NXDOMAIN, authorities: [authority(60)] };
  t.same(scene.find('db'), ['10.7.0.3']);
  t.same(scene.asked, ['A db.one.org', 'A db.two.org']);
  t.equal(scene.find('nobody.org.'), `ENOENT nobody.org.: no such name, says ${THERE}`);
  t.equal(scene.find('empty.net.'), `ENOENT empty.net.: no address, says ${THERE}`);
  const count = scene.asked.length;
  scene.find('nobody.org.');
  t.equal(scene.asked.length, count, 'that is remembered, too');
});

t.test('servers that do not answer, or do not know', async (t) => {
  const scene = new Scene(
    `nameserver ${NOBODY}\nnameserver ${THERE}\noptions timeout:2 attempts:2`,
  );
  scene.server.say = ({ question }) => ({ answers: [address(question.name, '10.7.0.3')] });
  const before = scene.world.now;
  t.same(scene.find('db.org'), ['10.7.0.3']);
  t.equal(scene.world.now, before + 2000);

  scene.server.say = () => undefined;
  t.equal(scene.find('silent.org'), `ETIMEDOUT silent.org: no answer from ${NOBODY}, ${THERE}`);
  t.equal(scene.asked.filter((asked) => asked === 'A silent.org').length, 2);

  scene.server.say = () => ({ rcode: SERVFAIL });
  t.equal(scene.find('ill.org'), `EHOSTUNREACH ill.org: SERVFAIL from ${THERE}`);

  const nobody = new Scene('nameserver 10.7.0.1');
  nobody.world.there.udp.close([...nobody.world.there.udp.pcbs.values()][0]!);
  t.equal(nobody.find('db.org'), `EHOSTUNREACH db.org: ECONNREFUSED at ${THERE}`);
});

t.test('an answer that does not fit a datagram is asked for over TCP', async (t) => {
  const scene = new Scene();
  const many = Array.from({ length: 200 }, (_, i) => address('many.org', `10.8.0.${i + 1}`));
  scene.server.say = ({ overTcp }) => (overTcp ? { answers: many } : { isTruncated: true });
  const { world } = scene;
  const before = new Set(world.here.pcbs.keys());
  t.equal(scene.find('many.org').length, 200);
  t.same(
    scene.server.asked.map(({ overTcp }) => overTcp),
    [false, true],
  );
  scene.pass(300_000);
  t.same(new Set(world.here.pcbs.keys()), before);
  t.equal(world.here.takeDirty().length, 0, 'nothing of it is journaled');

  scene.server.say = ({ overTcp }) => (overTcp ? undefined : { isTruncated: true });
  t.match(scene.find('mute.org'), /^ETIMEDOUT/);
});

t.test('each question has a number and a port that nobody can know', async (t) => {
  const scene = new Scene(`nameserver ${THERE}\noptions attempts:5`);
  for (let i = 0; i < 20; i++) scene.find(`silent${i}.org`);
  const { asked } = scene.server;
  t.equal(asked.length, 100);
  t.ok(new Set(asked.map(({ port }) => port)).size > 95);
  t.ok(new Set(asked.map(({ id }) => id)).size > 95);
});

/** Has the addresses of db.org asked for, and says nothing to it. */
function unanswered(scene: Scene): Asked {
  const { world, server, names } = scene;
  let asked: Asked | undefined;
  server.say = (question) => {
    asked = question;
    return undefined;
  };
  names.addresses('db.org', 7, world.now);
  scene.settle();
  return asked!;
}

t.test('answers that were forged are not heard', async (t) => {
  const scene = new Scene();
  const { world, server, names } = scene;
  const { id, port, question } = unanswered(scene);
  const lie = { answers: [address('db.org', '10.66.6.6')] };
  const forged = [
    messageOf({ id: id ^ 1, question }, lie),
    messageOf({ id, question: { name: 'other.org', type: 'A' } }, lie),
    messageOf({ id, question: { name: 'db.org', type: 'AAAA' } }, lie),
    messageOf({ id, question: { name: 'db.org', type: 'A', class: 'CH' } }, lie),
    messageOf({ id, question }, lie).subarray(0, 20),
    messageOf({ id, question }, lie).fill(0, 2, 3),
    new Uint8Array(0),
  ];
  for (const message of forged) server.send(message, HERE, port, world.now);
  const other = world.there.udp.create();
  world.there.udp.bind(other, { address: THERE, port: 5353 });
  scene.settle();
  t.equal(names.addresses('db.org', 7, world.now), undefined);
  server.send(
    messageOf({ id, question }, { answers: [address('db.org', '10.7.0.3')] }),
    HERE,
    port,
    world.now,
  );
  scene.settle();
  t.same(names.addresses('db.org', 7, world.now), ['10.7.0.3']);
});

t.test('bytes that nobody would send do no harm', async (t) => {
  const seed = Number(process.env['SEED'] ?? 20261121);
  t.comment(`SEED=${seed}`);
  const random = seeded(seed);
  const scene = new Scene();
  const { world, server } = scene;
  const { id, port, question } = unanswered(scene);
  const good = messageOf(
    { id, question },
    { answers: [alias('db.org', 'a.org'), address('a.org', '10.7.0.3')] },
  );
  for (let round = 0; round < 500; round++) {
    const bad = good.slice(0, 12 + random(good.length - 12));
    for (let change = random(4); change >= 0; change--)
      bad[4 + random(bad.length - 4)] = random(256);
    server.send(bad, HERE, port, world.now);
    scene.settle();
  }
  server.say = () => ({ answers: [address('db.org', '10.7.0.3')] });
  t.ok(scene.find('db.org').length > 0, 'the search has come to its end');
});
