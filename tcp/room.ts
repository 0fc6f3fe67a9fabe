import type { Host } from './host.ts';
import { TcpError } from './tcp-error.ts';

/**
 * Says whether what arrives and what is sent can be kept. While it cannot, no window opens, SEND and OPEN fail, and no
 * caller is let in; what peers were offered before is taken.
 */
export function setRoom(host: Host, hasRoom: boolean): void {
  if (host.hasRoom === hasRoom) return;
  host.hasRoom = hasRoom;
  for (const pcb of host.pcbs.values()) {
    // Whoever waits to send is told why it cannot, and every peer whose window was kept shut that it is open.
    host.changed(pcb);
    host.wantOutput(pcb);
  }
}

/** @throws TcpError ENOSPC nothing more can be kept */
export function demandRoom(host: Host): void {
  if (!host.hasRoom) throw new TcpError('ENOSPC');
}
