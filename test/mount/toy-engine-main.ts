/**
 * A toy engine as a process of its own. `HOLDFAST_TOY` has its options as JSON; descriptor 3 is /dev/fuse. What is committed goes to the
 * file `state` as a whole; a message answers dials and puts a line into the queue.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { closeOnExec } from '../../mount/system-calls.ts';
import { ToyEngine } from './toy-engine.ts';
import { ToyJournal } from './toy-journal.ts';
import { ToyTree } from './toy-tree.ts';

const { state, die, ...options } = JSON.parse(process.env['HOLDFAST_TOY']!);
closeOnExec(3);

const tree = new ToyTree();
const journal = new ToyJournal();
if (existsSync(state)) {
  const [savedTree, savedJournal] = JSON.parse(readFileSync(state, 'utf8'));
  tree.load(savedTree);
  journal.load(savedJournal);
}

function save(): void {
  const text = JSON.stringify([tree.save(), journal.save()]);
  if (text === saved) return;
  saved = text;
  writeFileSync(`${state}.new`, text);
  renameSync(`${state}.new`, state);
}
let saved = '';

/** Dies at this moment if it was told to, once there is something to lose. */
function moment(name: string): void {
  if (die === name && tree.attempts > 0) process.kill(process.pid, 'SIGKILL');
}

const engine = new ToyEngine({
  fuse: 3,
  ...options,
  tree,
  journal,
  beforeCommit: () => moment('before-commit'),
  afterCommit: () => {
    save();
    moment('after-commit');
  },
});

process.on('message', () => {
  tree.answerDial();
  tree.enqueue(Buffer.from('news\n'));
  engine.wake();
});
