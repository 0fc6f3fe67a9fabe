// By hand: npm run moves -- 200 [the number of the first]
import '../namespace.ts';
import t from 'tap';
import { moveRepeatedly } from './move-repeatedly.ts';

const [, , moves = '200', first = '0'] = process.argv;

t.setTimeout(0);
t.test(`a connection moves ${moves} times between two hosts, and every step is cut short`, (t) => {
  t.setTimeout(0);
  return moveRepeatedly(t, Number(moves), Number(first));
});
