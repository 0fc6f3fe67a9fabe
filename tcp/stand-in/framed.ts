import type { Egress } from '../egress.ts';
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  emitEthernet,
} from '../wire/ethernet.ts';
import { ipVersion } from '../wire/ip.ts';

/** Puts IP packets into Ethernet frames to one station after the other. */
export class Framed implements Egress {
  readonly #source: number;
  #egress: Egress | undefined;
  #destination = 0;
  #at = -1;

  /** @param source the link address of whom the frames come from */
  constructor(source: number) {
    this.#source = source;
  }

  /** The same, from now on to `destination` and by `egress`. */
  to(destination: number, egress: Egress): this {
    this.#destination = destination;
    this.#egress = egress;
    return this;
  }

  get bytes(): Uint8Array {
    return this.#frames.bytes;
  }

  get view(): DataView {
    return this.#frames.view;
  }

  reserve(length: number): number {
    this.#at = this.#frames.reserve(ETHERNET_HEADER_LENGTH + length);
    return this.#at < 0 ? this.#at : this.#at + ETHERNET_HEADER_LENGTH;
  }

  commit(length: number): void {
    const { view } = this.#frames;
    const isIpv6 = ipVersion(view, this.#at + ETHERNET_HEADER_LENGTH, length) === 6;
    const type = isIpv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
    emitEthernet(view, this.#at, this.#destination, this.#source, type);
    this.#frames.commit(ETHERNET_HEADER_LENGTH + length);
  }

  get #frames(): Egress {
    return this.#egress!;
  }
}
