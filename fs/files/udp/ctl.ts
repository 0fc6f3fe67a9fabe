import { ErrnoError } from '../../../tcp/errno.ts';
import type { UdpPcb } from '../../../tcp/udp/udp-pcb.ts';
import { setAutoclose } from '../../autoclose.ts';
import type { Connection } from '../../connection.ts';
import { controlFile, type Verb, withoutArgument } from '../../control-file.ts';
import { OFF_OR_ON } from '../../sockopt.ts';
import { UDP_SOCKOPTS_FILES } from '../../sockopts.ts';
import { bindTo } from '../bind.ts';
import { connectTo } from './connect.ts';

/**
 * Whether each datagram is read and written with its addresses before it.
 * @param text nothing, as in Plan 9, or `on` or `off`
 * @throws ErrnoError EINVAL
 */
function setHeaders({ pcb }: Connection<UdpPcb>, text: string): void {
  const value = text === '' ? 1 : OFF_OR_ON.read(text.trim());
  if (value === undefined) throw new ErrnoError('EINVAL');
  pcb.HEADERS = value;
}

const close: Verb<Connection<UdpPcb>> = withoutArgument((connection, { now }) =>
  connection.close(now),
);

/** What can be done with a UDP socket. Each option of `sockopts/` is a verb too. */
export const udpCtl = controlFile(
  new Map<string, Verb<Connection<UdpPcb>>>([
    ['connect', connectTo],
    ['announce', bindTo],
    ['bind', bindTo],
    ['headers', setHeaders],
    ['autoclose', setAutoclose],
    ['close', close],
    ['hangup', close],
    ...[...UDP_SOCKOPTS_FILES.values()].map(({ name, write }) => [name, write] as const),
  ]),
);
