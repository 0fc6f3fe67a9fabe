import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Control, type ToEngine, type ToKeeper } from './control.ts';
import { Descriptor } from './descriptors.ts';
import { openProcess, processExit } from './process-exit.ts';

const ENGINE = fileURLToPath(new URL('./engine-main.js', import.meta.url));

/** The descriptors that a keeper holds and every engine gets. */
export interface HeldDescriptors {
  readonly fuse: number;
  readonly tun: number;
  readonly lock: number;
}

/** The near end of the control socket of a child that was given the far one. */
export function controlOf(child: ChildProcess): Socket {
  // The type knows five descriptors only.
  return (child.stdio as readonly unknown[])[Descriptor.control] as Socket;
}

/** An engine as its keeper sees it. */
export class EngineProcess {
  readonly pid: number;
  readonly control: Control<ToEngine, ToKeeper>;
  /** Resolves when the process is gone and has closed its descriptors, whoever's child it is. */
  readonly exited: Promise<void>;

  /**
   * @param socket this side's end of the control socket
   */
  constructor(pid: number, socket: Socket, onMessage: (message: ToKeeper) => void) {
    this.pid = pid;
    // Opened before anything is awaited: a number that cannot have been given to another process since.
    const process = openProcess(pid);
    let closed!: () => void;
    const closing = new Promise<void>((resolve) => {
      closed = resolve;
    });
    this.control = new Control(socket, onMessage, closed);
    this.exited = closing.then(() => processExit(process));
  }

  static spawn(held: HeldDescriptors, onMessage: (message: ToKeeper) => void): EngineProcess {
    const stdio: (string | number)[] = ['ignore', 'inherit', 'inherit'];
    stdio[Descriptor.fuse] = held.fuse;
    stdio[Descriptor.tun] = held.tun;
    stdio[Descriptor.lock] = held.lock;
    stdio[Descriptor.control] = 'pipe';
    const child = spawn(process.execPath, ['--enable-source-maps', ENGINE], {
      stdio: stdio as ('ignore' | 'inherit' | 'pipe' | number)[],
    });
    return new EngineProcess(child.pid!, controlOf(child), onMessage);
  }

  kill(): void {
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch {
      // It was faster.
    }
  }
}
