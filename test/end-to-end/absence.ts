// The long run, by hand: npm run absence
import '../namespace.ts';
import t from 'tap';
import { noEngineFor } from './no-engine-for.ts';

t.setTimeout(0);
t.test('no engine for five minutes, and peers that wait for less than four', (t) => {
  t.setTimeout(0);
  return noEngineFor(t, 8, 300);
});
