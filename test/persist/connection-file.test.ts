import { createHash } from 'node:crypto';
import t from 'tap';
import {
  ConnectionFile,
  lengthOfConnectionFile,
  readConnectionFile,
} from '../../persist/connection-file.ts';
import type { MovingIn } from '../../tcp/move-in.ts';
import type { Pcb } from '../../tcp/pcb.ts';
import { RecordError } from '../../tcp/record-error.ts';
import { seqLessOrEqual } from '../../tcp/sequence.ts';
import type { Stack } from '../../tcp/stack.ts';
import { TcpError } from '../../tcp/tcp-error.ts';
import { Random } from '../tcp/random.ts';
import { converse, pattern, Talker } from '../tcp/transfer.ts';
import { arriveAtB, Station, segmentIn, WirePair } from '../tcp/wire-pair.ts';

const NODE = Buffer.from('whatever the tree says');
const WALL = 1_700_000_000_000;

/** All of the file of a connection that has moved out. */
function fileOf(pcb: Pcb): Buffer {
  const file = new ConnectionFile(pcb, NODE);
  const bytes = Buffer.alloc(file.size);
  if (file.copy(0, bytes) !== file.size) throw new Error('the file is shorter than it says');
  return bytes;
}

function moveOut(wire: WirePair, station: Station, pcb: Pcb): Buffer {
  station.stack.moveOut(pcb, wire.now, WALL + wire.now);
  return fileOf(pcb);
}

/** As the tree does it: nothing stays of what fails. */
function moveIn(stack: Stack, file: Uint8Array, now: number): Pcb {
  let moving: MovingIn | undefined;
  try {
    readConnectionFile(file).restore((record) => {
      moving = stack.moveIn(record);
      return moving.pcb;
    });
  } catch (error) {
    moving?.cancel();
    throw error;
  }
  moving!.complete(now, WALL + now);
  return moving!.pcb;
}

/** Makes the checksum right again. */
function resealed(file: Buffer): Buffer {
  const end = file.length - 32;
  createHash('sha256').update(file.subarray(0, end)).digest().copy(file, end);
  return file;
}

t.test('a transfer both ways goes on while one end moves between two hosts', async (t) => {
  let moves = 0;
  let strays = 0;
  for (let seed = 1; seed <= 16; seed++) {
    const wire = new WirePair(seed);
    const { a, b } = wire.establish();
    wire.weather = { loss: wire.random(40), duplication: wire.random(20), jitter: wire.random(15) };
    let former = new Station(wire, 'b', {});
    const texts = [pattern(60_000, seed), pattern(60_000, seed + 500)] as const;
    const one = new Talker(wire, 'a', a, texts[0]);
    const two = new Talker(wire, 'b', b, texts[1]);
    /** Nothing that comes to the one who has moved out is answered. */
    const stray = (packet: Uint8Array) => {
      const before = wire.sent.length;
      former.stack.arrive(packet, 0, packet.length, wire.now);
      former.turn();
      if (wire.sent.length !== before) t.fail(`two speakers with seed ${seed}`);
      strays++;
    };
    let highest = 0;
    wire.filter = ({ from, bytes }) => {
      if (from === 'a') {
        if (moves > 0 && former.stack.pcbs.size > 0 && wire.random(4) === 0) stray(bytes);
        return true;
      }
      const { header } = segmentIn({ from, bytes, at: wire.now });
      const TSval = header.options.timestampValue;
      if (highest !== 0 && !seqLessOrEqual(highest, TSval)) t.fail(`TSval goes back, seed ${seed}`);
      highest = TSval;
      return true;
    };
    converse(wire, [one, two], () => {
      if (wire.random(8) !== 0 || two.pcb.STATE < 4) return;
      const file = moveOut(wire, wire.b, two.pcb);
      if (wire.random(2) === 0) {
        // An engine dies between, and the next one writes the same file.
        wire.b.turn();
        wire.b.restart(wire.random(500));
        if (!fileOf(two.pcb).equals(file)) t.fail(`another file with seed ${seed}`);
      }
      [former, wire.b] = [wire.b, former];
      wire.now += wire.random(300);
      two.id = moveIn(wire.b.stack, file, wire.now).ID;
      moves++;
    });
    const isEqual =
      Buffer.compare(two.everythingHeard, texts[0]) === 0 &&
      Buffer.compare(one.everythingHeard, texts[1]) === 0;
    if (!isEqual) t.fail(`bytes differ with seed ${seed}`);
    if (wire.sent.some((packet) => segmentIn(packet).flags.includes('RST')))
      t.fail(`a RST with seed ${seed}`);
  }
  t.ok(moves > 80 && strays > 80, `${moves} moves, ${strays} strays`);
});

/** A connection that has moved out with bytes on both sides, and what it left. */
function moved() {
  const wire = new WirePair(1);
  const { a, b } = wire.establish();
  wire.a.send(a, pattern(100_000, 1));
  wire.pass(100);
  wire.b.send(b, pattern(70_000, 2));
  wire.b.stack.setOption(b, 'KEEPALIVE', 1, wire.now);
  wire.b.turn();
  return { wire, a, b, file: moveOut(wire, wire.b, b) };
}

t.test('what has moved out is silent, and its program learns of it', async (t) => {
  const { wire, a, b, file } = moved();
  t.equal(b.state, 'MOVED');
  t.throws(() => wire.b.send(b, Buffer.from('more')), { name: 'ECONNABORTED' });
  t.throws(() => wire.b.stack.receive(b, Buffer.alloc(1), wire.now), { name: 'ECONNABORTED' });
  t.throws(() => wire.b.shutdown(b), { name: 'ENOTCONN' });
  t.throws(() => wire.b.stack.setOption(b, 'NODELAY', 1, wire.now), { name: 'ENOTCONN' });
  const before = wire.sent.filter(({ from }) => from === 'b').length;
  wire.a.send(a, pattern(1000, 3));
  wire.pass(3000);
  t.equal(wire.sent.filter(({ from }) => from === 'b').length, before, 'nothing is answered');
  wire.b.stack.moveOut(b, wire.now, WALL);
  t.same(fileOf(b), file, 'moved out again, it has the same file');

  wire.b.close(b);
  t.throws(() => wire.b.stack.moveOut(b, wire.now, WALL), { name: 'ENODATA' });
  wire.a.send(a, pattern(1000, 4));
  wire.pass(60_000);
  wire.b.turn();
  wire.b.restart(1000);
  wire.pass(60_000);
  t.equal(wire.sent.filter(({ from }) => from === 'b').length, before, 'nor when it is closed');
  t.equal(wire.b.stack.pcbs.size, 2, 'the listener and who is silent');
  wire.pass(3600_000);
  t.equal(wire.b.stack.pcbs.size, 1, 'one hour later it is gone');
});

t.test('a RST by the user is none', async (t) => {
  const { wire, b } = moved();
  const before = wire.sent.length;
  wire.b.abort(b);
  wire.b.turn();
  t.equal(wire.sent.length, before);
});

t.test('what cannot move', async (t) => {
  const wire = new WirePair(1);
  const { b, listener } = wire.establish();
  const { stack } = wire.b;
  t.throws(() => stack.moveOut(listener, 0, WALL), { name: 'EOPNOTSUPP' });
  t.throws(() => stack.moveOut(stack.create(), 0, WALL), { name: 'ENOTCONN' });
  t.throws(() => stack.moveOut(wire.b.connect(1), 0, WALL), { name: 'ENOTCONN' });
  const self = wire.b.connect(80, '10.7.0.2');
  wire.pass(10);
  t.equal(self.state, 'ESTABLISHED');
  t.throws(() => stack.moveOut(self, 0, WALL), { name: 'EOPNOTSUPP' });
  t.equal(b.MOVES, 0);
});

t.test('where it may come in', async (t) => {
  const { wire, b, file } = moved();
  const home = wire.b.stack;
  const host = (options = {}) => new Station(wire, 'b', options).stack;
  const other = host();
  const { ID } = moveIn(other, file, wire.now);
  const pcb = other.pcbs.get(ID)!;
  t.match(pcb, { state: 'ESTABLISHED', ERROR: 0, MOVES: 1, KEEPALIVE: 1, readable: 100_000 });
  t.throws(() => moveIn(other, file, wire.now), { name: 'EEXIST' }, 'not twice');
  const elsewhere = host({ address: '10.7.0.9', address6: 'fd00:7::9' });
  t.throws(() => moveIn(elsewhere, file, wire.now), { name: 'EADDRNOTAVAIL' });
  t.throws(() => moveIn(host({ memory: 200_000 }), file, wire.now), { name: 'ENOBUFS' });
  const full = host();
  full.hasRoom = false;
  t.throws(() => moveIn(full, file, wire.now), { name: 'ENOSPC' });
  t.equal(full.pcbs.size, 0);
  t.equal(full.memoryUsed, 0, 'nothing is left of it');

  other.moveOut(pcb, wire.now, WALL);
  const later = fileOf(pcb);
  moveIn(home, later, wire.now);
  t.equal(home.find(b.ID), undefined, 'it takes the place of what had moved out');
  t.throws(() => moveIn(home, file, wire.now), { name: 'EADDRINUSE' }, 'the older file');
  const again = [...home.pcbs.values()].find((known) => known.MOVES === 2)!;
  home.moveOut(again, wire.now, WALL);
  t.throws(() => moveIn(home, later, wire.now), { name: 'ESTALE' }, 'it has been here since');
  const latest = fileOf(again);
  const back = moveIn(home, latest, wire.now);
  t.equal(back.MOVES, 3, 'taken back, as nobody else has it');
  home.moveOut(back, wire.now, WALL);
  const last = fileOf(back);
  home.close(back, wire.now);
  t.throws(() => moveIn(home, last, wire.now), { name: 'ESTALE' }, 'not if it was given up');
});

t.test('it has left and come back as the same connection', async (t) => {
  const { wire, a, b, file } = moved();
  t.same(wire.b.stack.pcbs.get(b.ID), b);
  wire.b = new Station(wire, 'b', {});
  const back = moveIn(wire.b.stack, file, wire.now);
  wire.pass(5000);
  t.same(wire.b.receive(back), pattern(100_000, 1));
  t.same(wire.a.receive(a), pattern(70_000, 2));
  t.equal(arriveAtB(wire).length, 0);
});

t.test('a file that was cut, or changed in one place', async (t) => {
  const { wire, file } = moved();
  const stack = new Station(wire, 'b', {}).stack;
  const random = new Random(1);
  const refused = (bytes: Uint8Array) => {
    try {
      moveIn(stack, bytes, wire.now);
      return false;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      return true;
    }
  };
  for (let length = 0; length < 600; length++)
    if (!refused(file.subarray(0, length))) t.fail(`cut at ${length}`);
  t.ok(refused(file.subarray(0, -1)), 'cut at the end');
  t.ok(refused(Buffer.concat([file, Buffer.of(0)])), 'longer');
  for (let n = 0; n < 1000; n++) {
    const copy = Buffer.from(file);
    copy[random.below(copy.length)]! ^= 1 << random.below(8);
    if (!refused(copy)) t.fail('changed');
  }
  const newer = Buffer.from(file);
  newer.writeUInt32BE(99, 8);
  t.throws(() => moveIn(stack, resealed(newer), wire.now), /version 99/);
  t.equal(lengthOfConnectionFile(file.subarray(0, 23)), undefined, 'too short to say');
  t.equal(lengthOfConnectionFile(file.subarray(0, 24)), file.length);
  t.throws(() => lengthOfConnectionFile(Buffer.from('no')), RecordError);
  t.equal(stack.pcbs.size, 0);
  t.equal(stack.memoryUsed, 0, 'nothing is left of any');
});

t.test('any part of it, by its own', async (t) => {
  const { b, file } = moved();
  const whole = new ConnectionFile(b, NODE);
  const random = new Random(2);
  for (let n = 0; n < 200; n++) {
    const offset = random.below(whole.size + 10);
    const target = Buffer.alloc(random.below(20_000));
    const count = whole.copy(offset, target);
    const expected = Math.min(target.length, Math.max(0, whole.size - offset));
    if (count !== expected) t.fail(`${count} bytes at ${offset}`);
    else if (!target.subarray(0, count).equals(file.subarray(offset, offset + count)))
      t.fail(`other bytes at ${offset}`);
  }
  t.equal(whole.copy(whole.size, Buffer.alloc(1)), 0, 'and nothing behind its end');
});

t.test('whatever somebody has written, with a right checksum', async (t) => {
  const { wire, file } = moved();
  const random = new Random(3);
  const errors = { RecordError: 0, TcpError: 0, none: 0 };
  for (let n = 0; n < 1000; n++) {
    const copy = Buffer.from(file);
    // Most of the file is text, in which nothing can be wrong.
    for (let changes = 1 + random.below(3); changes > 0; changes--)
      copy[24 + random.below(2000)] = random.below(256);
    const station = new Station(wire, 'b', {});
    try {
      moveIn(station.stack, resealed(copy), wire.now);
      errors.none++;
    } catch (error) {
      if (error instanceof RecordError) errors.RecordError++;
      else if (error instanceof TcpError) errors.TcpError++;
      else throw error;
      if (station.stack.memoryUsed !== 0) t.fail('something is left');
    }
    // Whatever it became, the stack goes on.
    station.turn();
    for (const packet of wire.sent.slice(-3)) {
      station.stack.arrive(packet.bytes, 0, packet.bytes.length, wire.now);
      station.turn();
    }
    station.stack.tick(wire.now + 1e6);
    station.turn();
  }
  t.ok(Math.min(...Object.values(errors)) > 0, JSON.stringify(errors));
});
