/** The most bytes that are kept. */
const LIMIT = 256 * 1024;
/** The most lines that are kept unwritten: some may be short, most are longer than what `LIMIT` has room for so many of. */
const MOST_UNWRITTEN = 2048;

const encoder = new TextEncoder();

/**
 * Lines that readers follow while more come, as a log file. It is bounded as a log that is rotated in place: the line that finds
 * no room begins the text anew, and `tail -f` sees a file that was truncated.
 */
export class GrowingText {
  /** Not before there is something to keep. */
  #bytes: Uint8Array | undefined;
  #size = 0;
  #changed = Date.now();
  /** Lines that nobody has looked for. */
  #unwritten: (() => string)[] = [];

  get size(): number {
    this.#write();
    return this.#size;
  }

  /** When the last line came: milliseconds since the epoch. */
  get changed(): number {
    return this.#changed;
  }

  /**
   * Adds a line, which is written when somebody looks: most lines nobody ever sees.
   * @param line gives it without its newline; cut where it is longer than all that is kept
   */
  append(line: () => string): void {
    this.#changed = Date.now();
    if (this.#unwritten.length === MOST_UNWRITTEN) {
      this.#unwritten = [];
      this.#size = 0;
    }
    this.#unwritten.push(line);
  }

  #write(): void {
    if (this.#unwritten.length === 0) return;
    for (const line of this.#unwritten) this.#writeLine(line());
    this.#unwritten = [];
  }

  #writeLine(line: string): void {
    const bytes = encoder.encode(`${line}\n`).subarray(0, LIMIT);
    this.#bytes ??= new Uint8Array(LIMIT);
    if (this.#size + bytes.length > LIMIT) this.#size = 0;
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** @returns how many bytes from `offset` are in `target` now; 0 at the end */
  readAt(offset: number, target: Uint8Array): number {
    this.#write();
    if (this.#bytes === undefined || offset >= this.#size) return 0;
    const given = this.#bytes.subarray(offset, Math.min(this.#size, offset + target.length));
    target.set(given);
    return given.length;
  }
}
