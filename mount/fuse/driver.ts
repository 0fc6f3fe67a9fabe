import { Table } from '../../persist/table.ts';
import { assert } from '../../tcp/assert.ts';
import { Descriptor } from '../descriptors.ts';
import type { Driver } from '../driver.ts';
import { newInstance } from '../mount-instance.ts';
import { detach } from '../mount-table.ts';
import { Answers } from './answers.ts';
import { mountFuse, negotiate, openFuse } from './initialization.ts';
import { Notes } from './notes.ts';
import { Polls } from './polls.ts';
import { Session } from './session.ts';

/** Speaks the kernel's own protocol on /dev/fuse, which the keeper holds: requests that an engine leaves unanswered go to the next. */
export const direct: Driver = {
  limits: [],
  open: openFuse,
  mount(descriptor, { mountpoint, store, allowOther = true }) {
    assert(descriptor !== undefined, '/dev/fuse is open');
    mountFuse(descriptor, mountpoint, { source: store, allowOther });
    try {
      return { instance: newInstance(), negotiated: negotiate(descriptor) };
    } catch (error) {
      detach(mountpoint);
      throw error;
    }
  },
  afterDeath: (mounted) => mounted,
  session({ mounted, tree, journal, replies }) {
    const { instance, negotiated } = mounted;
    assert(negotiated !== undefined, 'the keeper has mounted');
    const answers = new Answers(instance);
    answers.restore(journal.scan(Table.answer));
    const notes = new Notes(journal, instance);
    notes.restore(journal.scan(Table.note));
    const polls = new Polls(journal, replies.process, instance);
    polls.restore(journal.scan(Table.poll));
    return new Session({ fd: Descriptor.fuse, negotiated, tree, replies, answers, notes, polls });
  },
};
