import '../namespace.ts';
import t from 'tap';
import { noEngineFor } from './no-engine-for.ts';

t.test('with no engine, a peer that would have given up after 6 s goes on', (t) =>
  noEngineFor(t, 3, 0),
);
