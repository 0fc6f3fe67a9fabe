import type { IpAddress } from './address.ts';
import type { ControlBlock } from './control-block.ts';

/**
 * PCBs of one protocol by their local socket alone: those that have bound one, or those that listen. 0.0.0.0 stands for all IPv4 addresses,
 * `::` for all of either version, or of IPv6 alone with V6ONLY (RFC 3493 section 5.3), as in Linux.
 */
export class LocalSockets<Subject extends ControlBlock> {
  readonly #byPort = new Map<number, Subject[]>();

  /** `pcb` has a local socket. */
  add(pcb: Subject): void {
    const others = this.#byPort.get(pcb.LOCAL_PORT);
    if (others === undefined) this.#byPort.set(pcb.LOCAL_PORT, [pcb]);
    else others.push(pcb);
  }

  /** Its port is still the one that it was added with. */
  remove(pcb: Subject): void {
    const left = this.#byPort.get(pcb.LOCAL_PORT)?.filter((other) => other !== pcb);
    if (left === undefined) return;
    if (left.length === 0) this.#byPort.delete(pcb.LOCAL_PORT);
    else this.#byPort.set(pcb.LOCAL_PORT, left);
  }

  /** Whether somebody has `port`, at whatever address. */
  hasPort(port: number): boolean {
    return this.#byPort.has(port);
  }

  /** Whether `pcb`, had it `address` and `port`, would be meant by a packet that means another. */
  isTaken(pcb: Subject, address: IpAddress, port: number): boolean {
    const others = this.#byPort.get(port) ?? [];
    return others.some((other) => overlap(pcb, address, other, other.localAddress));
  }

  /** Whom a packet to `port` of `address`, one of the stack's own, is for. */
  find(address: IpAddress, port: number): Subject | undefined {
    return this.#byPort.get(port)?.find((pcb) => covers(pcb, pcb.localAddress, address));
  }
}

/** Whether `pcb` at `local` is meant by packets to `address`. */
export function covers(pcb: ControlBlock, local: IpAddress, address: IpAddress): boolean {
  if (!local.isUnspecified) return local.equals(address);
  return local.isIpv4 === address.isIpv4 || (!local.isIpv4 && pcb.V6ONLY === 0);
}

/** Whether there is an address that both cover. An unspecified one is like some address of its version that nobody else has. */
function overlap(
  one: ControlBlock,
  oneLocal: IpAddress,
  other: ControlBlock,
  otherLocal: IpAddress,
): boolean {
  return covers(one, oneLocal, otherLocal) || covers(other, otherLocal, oneLocal);
}
