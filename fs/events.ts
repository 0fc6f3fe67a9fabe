import { type Endpoint, formatAddress, type IpAddress } from '../tcp/address.ts';
import { errnoName } from '../tcp/errno.ts';
import type { Pcb } from '../tcp/pcb.ts';
import type { StateName } from '../tcp/state.ts';
import { endpointLine } from './endpoint-line.ts';
import { GrowingText } from './growing-text.ts';
import { nameColumn, tableLines } from './table-lines.ts';

/** What a connection that is gone is in; TCP has no name for it. */
const GONE = 'GONE';

/**
 * What has become of connections: when, id, name, the state before, the state now, local address, remote address, and the error
 * that ended it. Nothing depends on it, so it is not journaled: it begins anew with each engine.
 */
export class Events {
  readonly text = new GrowingText();
  readonly #states = new Map<number, StateName>();

  /** @param pcbs those that are there already, about which there is nothing to say */
  constructor(pcbs: Iterable<Pcb>) {
    for (const { ID, state } of pcbs) this.#states.set(ID, state);
  }

  /** @param name undefined when it has no directory */
  changed(pcb: Pcb, name: string | undefined): void {
    const { ID, state } = pcb;
    const before = this.#states.get(ID);
    if (before === state) return;
    this.#states.set(ID, state);
    this.#append(pcb, name, before ?? '', state);
  }

  /** The connection is gone; its last values can still be read. */
  removed(pcb: Pcb, name: string | undefined): void {
    const before = this.#states.get(pcb.ID);
    this.#states.delete(pcb.ID);
    this.#append(pcb, name, before ?? '', GONE);
  }

  #append(pcb: Pcb, name: string | undefined, before: string, after: string): void {
    const { ID, ERROR, localAddress, LOCAL_PORT, remoteAddress, REMOTE_PORT } = pcb;
    const now = Date.now();
    this.text.append(() => {
      const [line] = tableLines([
        [
          new Date(now).toISOString(),
          ID,
          name === undefined ? '' : nameColumn(name),
          before,
          after,
          endpointLine(endpointOf(localAddress, LOCAL_PORT)),
          endpointLine(endpointOf(remoteAddress, REMOTE_PORT)),
          errnoName(ERROR) ?? '',
        ],
      ]);
      return line!;
    });
  }
}

function endpointOf(address: IpAddress, port: number): Endpoint | undefined {
  return port === 0 ? undefined : { address: formatAddress(address), port };
}
