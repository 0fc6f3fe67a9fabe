/** What a file of `key value` lines says, as one object: numbers as numbers, with the unit in the name. */
export function statusAsJson(text: string): Record<string, string | number> {
  return Object.fromEntries(
    lines(text).map((line) => {
      const [, key = '', value = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
      return [withUnit(key), TEXTS.has(key) ? unescaped(value) : numberOr(value)];
    }),
  );
}

/** What a table says, as an object for each line; `columns` are its names. */
export function tableAsJson(
  text: string,
  columns: readonly string[],
): Record<string, string | number | null>[] {
  return lines(text).map((line) => {
    const values = line.split(' ');
    return Object.fromEntries(
      columns.map((column, index) => {
        const value = values[index] ?? '-';
        if (value === '-') return [column, null];
        return [column, TEXTS.has(column) ? unescaped(value) : numberOr(value)];
      }),
    );
  });
}

/** The columns of each table, by where it is in the tree; see holdfast(5). */
export const TABLES: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'tcp/connections',
    ['name', 'local', 'remote', 'state', 'unread_bytes', 'unacknowledged_bytes', 'owner'],
  ],
  ['tcp/listeners', ['name', 'local', 'waiting_connections', 'backlog_connections', 'owner']],
  [
    'udp/connections',
    ['name', 'local', 'remote', 'unread_datagrams', 'dropped_datagrams', 'owner'],
  ],
]);

/** What may look like a number, and is a name. */
const TEXTS = new Set(['name', 'tun', 'version']);

const MILLISECONDS = ['SRTT', 'RTTVAR', 'RTO'];
const BYTES = [
  ...['readable', 'writable', 'SND.WND', 'RCV.WND', 'SND.MSS', 'MAX_SND_MSS', 'cwnd', 'ssthresh'],
  ...['SEND_START', 'SEND_END', 'RECEIVE_START', 'RECEIVE_END'],
];

/** What RFCs name without saying in what it is measured. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ...MILLISECONDS.map((key) => [key, 'milliseconds'] as const),
  ...BYTES.map((key) => [key, 'bytes'] as const),
]);

function withUnit(key: string): string {
  const unit = UNITS.get(key);
  return unit === undefined ? key : `${key}_${unit}`;
}

function numberOr(text: string): string | number {
  return /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text;
}

/** A column has octal for what would end it, as proc(5)'s mounts. */
function unescaped(column: string): string {
  const latin1 = encodeURIComponent(column).replace(
    /%5C([0-3][0-7]{2})/g,
    (_, octal: string) => `%${Number.parseInt(octal, 8).toString(16).padStart(2, '0')}`,
  );
  return decodeURIComponent(latin1);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
