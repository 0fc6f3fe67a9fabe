import '../namespace.ts';
import t from 'tap';
import { MIB } from './bulk.ts';
import { bulkUnderKills } from './bulk-under-kills.ts';

t.test('256 MiB each way at once arrive unchanged while the engine is killed 50 times', (t) =>
  bulkUnderKills(t, 50, 256 * MIB),
);
