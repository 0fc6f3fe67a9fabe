import t from 'tap';
import { Account } from '../../tcp/account.ts';
import { GUARANTEED, Memory } from '../../tcp/memory.ts';

const LIMIT = 1 << 24;

t.test('what counts for the stack counts for the user, as long as it is theirs', async (t) => {
  const [stack, alice, bob] = [new Memory(LIMIT), new Memory(LIMIT), new Memory(LIMIT)];
  const account = new Account(stack);
  const one = stack.used;
  t.ok(one > 0);
  account.count(0, 3 * GUARANTEED);
  t.equal(stack.used, one + 2 * GUARANTEED);
  account.charge(alice);
  t.equal(alice.used, stack.used);
  account.count(3 * GUARANTEED, 2 * GUARANTEED);
  t.equal(alice.used, one + GUARANTEED);
  account.charge(bob);
  t.equal(alice.used, 0);
  t.equal(bob.used, stack.used);
  account.count(2 * GUARANTEED, 0);
  account.close();
  t.same([stack.used, bob.used], [0, 0]);
});

t.test('a buffer grows as far as both allow', async (t) => {
  const [stack, user] = [new Memory(LIMIT), new Memory(LIMIT / 16)];
  const account = new Account(stack);
  const most = account.most(0);
  account.charge(user);
  t.equal(account.most(0), user.most(0));
  t.ok(account.most(0) < most);
  t.equal(account.most(most), most, 'what has been given is not taken back');
});
