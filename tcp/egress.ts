/**
 * Memory lent for outgoing packets, one at a time. Whoever implements it decides when they leave;
 * the stack only fills them.
 */
export interface Egress {
  readonly bytes: Uint8Array;
  /** Over the same memory as `bytes`, from its first byte. */
  readonly view: DataView;
  /**
   * Makes room for one packet.
   * @param length the most bytes it will have
   * @returns the offset in `bytes` to write it at, or -1 when there is no room left in this turn
   */
  reserve(length: number): number;
  /**
   * Ends the packet begun by the last `reserve`. A reservation that is not committed is simply made again.
   * @param length how many bytes it has
   */
  commit(length: number): void;
  /**
   * The same for a TCP segment that is finished further down: its checksum covers the pseudo header only, and is stored not
   * complemented; its text, if it is more than `segmentSize` bytes, is cut into so many segments of that size, each with a
   * copy of its headers, but for FIN and PSH, which belong to the last. Missing where nobody does that.
   */
  commitUnfinished?(length: number, segmentSize: number): void;
}
