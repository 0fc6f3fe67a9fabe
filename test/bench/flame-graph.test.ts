import t from 'tap';
import { flameGraph } from '../../bench/flame-graph.ts';

const call = (functionName: string, lineNumber = -1, url = '') => ({
  functionName,
  lineNumber,
  url,
  scriptId: '0',
  columnNumber: 0,
});

t.test('a profile as a drawing', async (t) => {
  const url = 'file:///dist/mount/engine-main.js';
  const source = '// mount/turn.ts\nrun() {\n}\n// tcp/transmit.ts\ntransmit() {\n';
  const svg = flameGraph(
    {
      nodes: [
        { id: 1, callFrame: call('(root)'), children: [2, 3, 5] },
        { id: 2, callFrame: call('(idle)') },
        { id: 3, callFrame: call('run', 1, url), children: [4] },
        { id: 4, callFrame: call('transmit', 4, url) },
        { id: 5, callFrame: call('') },
      ],
      startTime: 0,
      endTime: 1000,
      samples: [2, 3, 4, 4, 5],
      timeDeltas: [500, 100, 100, 100, 100],
    },
    (asked) => (asked === url ? source : ''),
  );
  const titles = [...svg.matchAll(/<g><title>(.*)<\/title>/g)].map(([, title]) => title);
  t.same(titles, [
    'engine 100.0 %',
    'mount/turn run 75.0 %',
    'tcp/transmit transmit 50.0 %',
    '(anonymous) 25.0 %',
  ]);
  t.match(svg, /<rect x="0.0" y="-17" width="900.0" height="16" fill="#cbb2d8"/);
});
