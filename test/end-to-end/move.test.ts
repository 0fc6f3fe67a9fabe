import '../namespace.ts';
import t from 'tap';
import { moveRepeatedly } from './move-repeatedly.ts';

t.test('a connection moves between two daemons while both its ends talk, and engines die', (t) =>
  moveRepeatedly(t, 4),
);
