/** What stands where there is nothing to say, so that columns keep their numbers. */
const NOTHING = '-';

/** One line for each row, its columns a space apart. A column has no white space in it. */
export function tableLines(rows: Iterable<ReadonlyArray<string | number>>): string[] {
  return Array.from(rows, (row) => row.map(column).join(' '));
}

function column(value: string | number): string | number {
  return value === '' ? NOTHING : value;
}

/**
 * A name as one column: white space, control characters and backslashes are written in octal, as in proc(5)'s mounts, and
 * so is a name that would say nothing.
 */
export function nameColumn(name: string): string {
  if (name === NOTHING) return octal(NOTHING);
  return name.replace(/[\s\\\p{Cc}]/gu, octal);
}

const encoder = new TextEncoder();

function octal(text: string): string {
  return Array.from(encoder.encode(text), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(
    '',
  );
}
