import '../namespace.ts';
import t from 'tap';
import { moveRepeatedly } from './move-repeatedly.ts';

t.test(
  'a connection moves between two hosts while both its ends talk, and every step is cut short',
  (t) => moveRepeatedly(t, 4),
);
