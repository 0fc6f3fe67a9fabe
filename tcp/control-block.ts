import type { Account } from './account.ts';
import { type Endpoint, formatAddress, IpAddress } from './address.ts';
import { SlabRecord } from './record.ts';

/** What a socket is to the host, the journal and the tree, whatever its protocol: a record, and where its ends are. */
export abstract class ControlBlock extends SlabRecord {
  // Fields that the tables of all protocols have.
  /** Never used again for another socket of either protocol. */
  declare ID: number;
  /** Linux errno of what went wrong; 0: nothing. */
  declare ERROR: number;
  declare LOCAL_ADDRESS_0: number;
  declare LOCAL_ADDRESS_1: number;
  declare LOCAL_ADDRESS_2: number;
  declare LOCAL_ADDRESS_3: number;
  declare REMOTE_ADDRESS_0: number;
  declare REMOTE_ADDRESS_1: number;
  declare REMOTE_ADDRESS_2: number;
  declare REMOTE_ADDRESS_3: number;
  declare LOCAL_PORT: number;
  declare REMOTE_PORT: number;
  declare V6ONLY: number;
  declare DURABILITY: number;

  // The words of the record as addresses, made when first asked for: every packet asks.
  #localAddress: IpAddress | undefined;
  #remoteAddress: IpAddress | undefined;

  // Belongs to the stack: on which of its lists this socket is.
  isDirty = false;
  isChanged = false;
  isRemoved = false;

  /** What it counts for. */
  abstract readonly account: Account;

  /** What the journal writes: live memory, to be copied before the stack goes on. */
  abstract get record(): Uint8Array;

  get local(): Endpoint | undefined {
    if (this.LOCAL_PORT === 0) return undefined;
    return { address: formatAddress(this.localAddress), port: this.LOCAL_PORT };
  }

  get remote(): Endpoint | undefined {
    if (this.REMOTE_PORT === 0) return undefined;
    return { address: formatAddress(this.remoteAddress), port: this.REMOTE_PORT };
  }

  get localAddress(): IpAddress {
    this.#localAddress ??= new IpAddress(
      this.LOCAL_ADDRESS_0,
      this.LOCAL_ADDRESS_1,
      this.LOCAL_ADDRESS_2,
      this.LOCAL_ADDRESS_3,
    );
    return this.#localAddress;
  }

  set localAddress(address: IpAddress) {
    this.#localAddress = address;
    this.LOCAL_ADDRESS_0 = address.word0;
    this.LOCAL_ADDRESS_1 = address.word1;
    this.LOCAL_ADDRESS_2 = address.word2;
    this.LOCAL_ADDRESS_3 = address.word3;
  }

  get remoteAddress(): IpAddress {
    this.#remoteAddress ??= new IpAddress(
      this.REMOTE_ADDRESS_0,
      this.REMOTE_ADDRESS_1,
      this.REMOTE_ADDRESS_2,
      this.REMOTE_ADDRESS_3,
    );
    return this.#remoteAddress;
  }

  set remoteAddress(address: IpAddress) {
    this.#remoteAddress = address;
    this.REMOTE_ADDRESS_0 = address.word0;
    this.REMOTE_ADDRESS_1 = address.word1;
    this.REMOTE_ADDRESS_2 = address.word2;
    this.REMOTE_ADDRESS_3 = address.word3;
  }
}
