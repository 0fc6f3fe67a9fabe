import { RECORD_KINDS } from '../../fs/records.ts';
import { stageConnection } from '../../persist/connections.ts';
import { Journal } from '../../persist/journal.ts';
import { Table } from '../../persist/table.ts';
import { HERE, World } from '../fs/world.ts';

/**
 * A listener with a caller, a connection with bytes on both sides, one that has no peer, and one that was refused; a UDP socket with two
 * datagrams.
 */
export function makeWorld(): World {
  const world = new World();
  world.mkdir('srv');
  world.write('tcp/srv/bind', `${HERE}:8080`);
  world.write('tcp/srv/listen', '16');
  world.connectThere(8080);
  const peer = world.establish('chat');
  world.sendThere(peer, 'nobody has read this');
  world.isCut = true;
  world.write('tcp/chat/data', 'x'.repeat(5000));
  world.mkdir('idle');
  world.open('tcp/chat/data', 2);
  world.isCut = false;
  addUdpSocket(world);
  return world;
}

function addUdpSocket(world: World): void {
  world.mkdirUdp('dns');
  world.write('udp/dns/bind', `${HERE}:53`);
  const { udp } = world.there;
  const asker = udp.create();
  udp.connect(asker, { address: HERE, port: 53 });
  for (const question of ['who?', 'where?']) {
    udp.send(asker, new TextEncoder().encode(question), world.now);
    world.settle();
  }
}

/** Journals all of a world's side of the wire, as an engine does. */
export function stageWorld(world: World, journal: Journal): void {
  const { pcbs, udp } = world.here;
  for (const pcb of [...pcbs.values(), ...udp.pcbs.values()]) stageConnection(journal, pcb);
  for (const kind of RECORD_KINDS)
    for (const [id, value] of world.records.of(kind)) journal.put(Table[kind], id, 0, value);
  journal.facts.nextId = world.here.nextId;
}

/** A closed store with all of it, after `damage`. */
export async function storeOf(
  world: World,
  directory: string,
  damage: (journal: Journal) => void = () => {},
): Promise<void> {
  const journal = Journal.open(directory, { reserve: 0 });
  stageWorld(world, journal);
  damage(journal);
  journal.commit();
  await journal.close();
}
