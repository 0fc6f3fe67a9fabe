// By hand: npm run moves -- 200
import '../namespace.ts';
import t from 'tap';
import { moveRepeatedly } from './move-repeatedly.ts';

const moves = Number(process.argv[2] ?? 200);

t.setTimeout(0);
t.test(`a connection moves ${moves} times while both its ends talk`, (t) => {
  t.setTimeout(0);
  return moveRepeatedly(t, moves);
});
