import t from 'tap';
import { Patience } from '../../mount/patience.ts';

t.test('it lasts for as long as what comes, comes soon', async (t) => {
  const patience = new Patience();
  t.notOk(patience.lasts(1000), 'nothing has come');
  patience.rewarded(1000);
  t.notOk(patience.lasts(1000), 'once is no reason to expect more');
  patience.rewarded(1000.15);
  t.ok(patience.lasts(1000.15));
  t.ok(patience.lasts(1000.34));
  t.notOk(patience.lasts(1000.36), 'in vain');
  patience.rewarded(1003);
  t.notOk(patience.lasts(1003), 'it has to be earned again');
});
