import t from 'tap';
import { statusAsJson, TABLES, tableAsJson } from '../../mount/status-json.ts';

t.test('a status', async (t) => {
  const text =
    'name 17\nerror \nstate ESTABLISHED\nreadable 8\nSRTT 0.25\nSND.UNA 4294967295\nversion 1.2\n';
  t.same(statusAsJson(text), {
    name: '17',
    error: '',
    state: 'ESTABLISHED',
    readable_bytes: 8,
    SRTT_milliseconds: 0.25,
    'SND.UNA': 4294967295,
    version: '1.2',
  });
  t.same(statusAsJson(''), {});
  t.same(statusAsJson('name a\\012b\n'), { name: 'a\nb' });
});

t.test('a table', async (t) => {
  const columns = TABLES.get('tcp/connections')!;
  const text =
    'web\\040caf\u00e9\\134 10.7.0.2:80 - LISTEN 0 5 1000:100\n- 10.7.0.2:1 10.7.0.1:2 ESTABLISHED 1 2 -\n\\055 - - CLOSED 0 0 0:0\n';
  const [first, second, third] = tableAsJson(text, columns);
  t.same(first, {
    name: 'web caf\u00e9\\',
    local: '10.7.0.2:80',
    remote: null,
    state: 'LISTEN',
    unread_bytes: 0,
    unacknowledged_bytes: 5,
    owner: '1000:100',
  });
  t.match(second, { name: null, owner: null, unread_bytes: 1 });
  t.equal(third!['name'], '-');
  t.same(tableAsJson('', columns), []);
});
