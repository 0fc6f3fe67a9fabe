import '../namespace.ts';
import t from 'tap';
import { MIB } from './bulk.ts';
import { bulkUnderKills } from './bulk-under-kills.ts';

t.test('256 MiB each way at once arrive unchanged while the engine is killed 50 times', (t) =>
  bulkUnderKills(t, 50, 256 * MIB),
);

t.test('8 MiB each way under 5 kills where replies and packets wait for the disk', (t) =>
  bulkUnderKills(t, 5, 8 * MIB, '--durability', 'power'),
);
