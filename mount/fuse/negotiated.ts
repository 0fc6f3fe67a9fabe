/** What kernel and keeper agreed on when the mount was made. It holds for every engine that serves the mount. */
export interface Negotiated {
  /** Minor version of the protocol in use; the major one is 7. */
  readonly minor: number;
  /** Bytes of the largest WRITE. */
  readonly maxWrite: number;
  /** Pages of the largest request, which bounds a READ as well. */
  readonly maxPages: number;
}
