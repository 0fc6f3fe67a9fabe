import '../namespace.ts';
import t from 'tap';
import { noEngineFor } from './no-engine-for.ts';

// Long enough for a stand-in to begin where there is little processor to be had.
t.test('with no engine, a peer that would have given up after 4 timeouts goes on', (t) =>
  noEngineFor(t, 4, 0),
);
