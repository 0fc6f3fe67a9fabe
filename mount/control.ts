import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { StoreLayout } from '../persist/store-layout.ts';
import type { Config } from './config.ts';
import type { Negotiated } from './fuse/negotiated.ts';

/** One FUSE mount, from INIT to its end. */
export interface Mounted {
  /** Random; open files, and `unique` values, mean something only within one mount. */
  readonly instance: number;
  /** Where the keeper has mounted. */
  readonly negotiated?: Negotiated;
}

export type ToEngine =
  /** Say whether you can take over a store that another program has written. */
  | { readonly type: 'review'; readonly store: string; readonly layout: StoreLayout }
  /** Restore the store. */
  | {
      readonly type: 'restore';
      readonly config: Config;
      readonly keeperPid: number;
      /** The engine before it had the same keeper: what it has written needs no second look. */
      readonly isSuccessor: boolean;
      /** What it is to serve, if the tree is mounted already. */
      readonly mounted?: Mounted;
      /** Whether it has to wait for `serve` before it does. Missing in what a keeper says that knows of no stand-in. */
      readonly waits?: boolean;
    }
  /** What was restored is to be served: nobody else speaks for the connections any more. */
  | {
      readonly type: 'serve';
      readonly mounted: Mounted;
      /** Connections whose peers have been told meanwhile that their windows are closed. */
      readonly shut?: readonly number[];
    }
  /** Finish the turn, and begin no other: a successor restores the store. */
  | { readonly type: 'pause' }
  /** The successor will not do, for this reason: go on. */
  | { readonly type: 'resume'; readonly reason: string }
  /** Take in what is on its way, let no window open, answer no request any more, and then `stop`. */
  | { readonly type: 'freeze' }
  /** Finish the turn, leave everything in the store, exit. */
  | { readonly type: 'stop' };

export type ToKeeper =
  /** The code is loaded; the process waits to be told what to restore. How it writes a store is missing in what an engine says that never froze for it. */
  | { readonly type: 'loaded'; readonly layout?: StoreLayout }
  /** The store can be taken over. */
  | { readonly type: 'reviewed' }
  | { readonly type: 'restored'; readonly connections: number; readonly milliseconds: number }
  /** The store or the host will not do; one line for the user. */
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'serving'; readonly epoch: number }
  /** All that was visible of its turns has left, and it begins no other. */
  | { readonly type: 'paused' }
  /** Somebody else unmounted the tree. */
  | { readonly type: 'unmounted' }
  /** The last message of an engine that was told to stop. */
  | { readonly type: 'stopped'; readonly connections: number };

/** To the process that answers peers while no engine does. The end of the socket is its end. */
export interface ToStandIn {
  readonly config: Config;
  /** Whose peers the ones before it have told that their windows are closed. */
  readonly shut: readonly number[];
}

/** From it: the peer of this connection is about to be told that its window is closed. */
export interface FromStandIn {
  readonly shut: number;
}

/** One JSON message a line, over the socket between keeper and engine. */
export class Control<Sent, Received> {
  readonly #socket: Socket;

  /**
   * @param onMessage called for each message of the other side
   * @param onClose called once, when the other side is gone
   */
  constructor(socket: Socket, onMessage: (message: Received) => void, onClose: () => void) {
    this.#socket = socket;
    // Only the other side's death ends the socket, and then a write may fail first: 'close' follows.
    socket.on('error', () => {});
    socket.once('close', onClose);
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => onMessage(JSON.parse(line) as Received));
    // It passes on the errors of its input, and a process without this listener would die of them.
    lines.on('error', () => {});
  }

  send(message: Sent): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Resolves when everything sent so far has been handed to the kernel. */
  flush(): Promise<void> {
    return new Promise((resolve) => this.#socket.write('', () => resolve()));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
