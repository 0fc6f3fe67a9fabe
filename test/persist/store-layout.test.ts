import t from 'tap';
import { FIELDS_OF_LAYOUT_3 } from '../../persist/fields-of-layout-3.ts';
import { LAYOUT_VERSION } from '../../persist/layout.ts';
import { demandReadable, isSameLayout, STORE_LAYOUT } from '../../persist/store-layout.ts';

const STORE = '/where/it/is';

t.test('what this program can take over', async (t) => {
  const { connections, udpSockets } = STORE_LAYOUT;
  demandReadable(STORE, STORE_LAYOUT);
  demandReadable(STORE, { ...STORE_LAYOUT, version: 3, connections: FIELDS_OF_LAYOUT_3 });
  const refused = (other: object, reason: RegExp) =>
    t.throws(() => demandReadable(STORE, { ...STORE_LAYOUT, ...other }), { message: reason });
  refused({ version: LAYOUT_VERSION + 1 }, /^\/where\/it\/is was written by a newer Holdfast/);
  refused({ version: 2 }, /too old a Holdfast/);
  refused({ connections: { ...connections, f64: ['NEWER'] } }, /connections have NEWER/);
  refused({ udpSockets: { ...udpSockets, u8: ['NEWER'] } }, /have NEWER/);
});

t.test('what makes another layout', async (t) => {
  t.ok(isSameLayout(STORE_LAYOUT, structuredClone(STORE_LAYOUT)));
  t.notOk(isSameLayout(STORE_LAYOUT, { ...STORE_LAYOUT, version: LAYOUT_VERSION + 1 }));
  const { u8, ...others } = STORE_LAYOUT.connections;
  const fewer = { ...others, u8: u8!.slice(1) };
  t.notOk(isSameLayout(STORE_LAYOUT, { ...STORE_LAYOUT, connections: fewer }));
});
