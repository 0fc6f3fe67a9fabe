/** What is known of a packet beside its bytes, from whom it was received. */
export interface Ingress {
  /** Its checksum of TCP or UDP needs no look: it was right when the packet came in, or it never left this host. */
  readonly isVouchedFor: boolean;
  /** Its TCP text was joined from segments of so many bytes, the last of which may have less; 0: it is as it was sent. */
  readonly segmentSize: number;
}

/** Nothing is known. */
export const BARE: Ingress = { isVouchedFor: false, segmentSize: 0 };
