import type { Commons } from '../../commons.ts';
import type { TextFile } from '../../file.ts';
import { keyValueLines } from '../../key-value-lines.ts';

/** Packets and bytes that came and left by the interface since the engine began. */
export const counters: TextFile<Commons> = {
  name: 'counters',
  stream: false,
  read: ({ stack: { counters } }) =>
    keyValueLines([
      ['received_packets', counters.IpInReceives],
      ['received_bytes', counters.IpExtInOctets],
      ['sent_packets', counters.IpOutRequests],
      ['sent_bytes', counters.IpExtOutOctets],
    ]),
};
