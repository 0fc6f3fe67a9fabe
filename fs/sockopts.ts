import type { AnyConnection } from './connection.ts';
import { congestionControl } from './files/sockopts/congestion-control.ts';
import { durability } from './files/sockopts/durability.ts';
import { ecn } from './files/sockopts/ecn.ts';
import { keepalive } from './files/sockopts/keepalive.ts';
import { keepaliveCount } from './files/sockopts/keepalive-count.ts';
import { keepaliveIdle } from './files/sockopts/keepalive-idle.ts';
import { keepaliveInterval } from './files/sockopts/keepalive-interval.ts';
import { maxseg } from './files/sockopts/maxseg.ts';
import { nodelay } from './files/sockopts/nodelay.ts';
import { pacing } from './files/sockopts/pacing.ts';
import { receiveBuffer } from './files/sockopts/receive-buffer.ts';
import { sendBuffer } from './files/sockopts/send-buffer.ts';
import { tos } from './files/sockopts/tos.ts';
import { ttl } from './files/sockopts/ttl.ts';
import { userTimeout } from './files/sockopts/user-timeout.ts';
import { userTimeoutOption } from './files/sockopts/user-timeout-option.ts';
import { v6only } from './files/sockopts/v6only.ts';
import type { Sockopt } from './sockopt.ts';

/** The files in the `sockopts/` of each connection, by kind: see `files.ts`. */
export const SOCKOPTS_FILES: ReadonlyMap<number, Sockopt> = new Map<number, Sockopt>([
  [64, keepalive],
  [65, keepaliveIdle],
  [66, keepaliveInterval],
  [67, keepaliveCount],
  [68, nodelay],
  [69, userTimeout],
  [70, receiveBuffer],
  [71, sendBuffer],
  [72, ttl],
  [73, tos],
  [74, congestionControl],
  [75, v6only],
  [76, ecn],
  [77, maxseg],
  [78, userTimeoutOption],
  [79, pacing],
  [80, durability],
]);

/** The same of each UDP socket. */
export const UDP_SOCKOPTS_FILES: ReadonlyMap<number, Sockopt<AnyConnection>> = new Map([
  [70, receiveBuffer],
  [71, sendBuffer],
  [72, ttl],
  [73, tos],
  [75, v6only],
  [80, durability],
]);
