import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { Control, type ToEngine, type ToKeeper } from './control.ts';
import { Descriptor } from './descriptors.ts';
import { HostError } from './host-error.ts';
import { openProcess, processExit } from './process-exit.ts';
import { type HeldDescriptors, startProcess } from './start-process.ts';

/** The near end of the control socket of a child that was given the far one. */
export function controlOf(child: ChildProcess): Socket {
  // The type knows five descriptors only.
  return (child.stdio as readonly unknown[])[Descriptor.control] as Socket;
}

type MessageType = ToKeeper['type'];
type Message<Type extends MessageType> = Extract<ToKeeper, { type: Type }>;

/** An engine as its keeper sees it. */
export class EngineProcess {
  readonly pid: number;
  readonly control: Control<ToEngine, ToKeeper>;
  /** Resolves when the process is gone and has closed its descriptors, whoever's child it is. */
  readonly exited: Promise<void>;
  readonly #messages = new EventEmitter();
  readonly #said = new Map<MessageType, ToKeeper>();

  /**
   * @param socket this side's end of the control socket
   */
  constructor(pid: number, socket: Socket) {
    this.pid = pid;
    // Opened before anything is awaited: a number that cannot have been given to another process since.
    const process = openProcess(pid);
    let closed!: () => void;
    const closing = new Promise<void>((resolve) => {
      closed = resolve;
    });
    this.control = new Control(socket, (message) => this.#onMessage(message), closed);
    this.exited = closing.then(() => processExit(process));
  }

  /** @throws HostError when the host has no room for another process */
  static spawn(held: HeldDescriptors): EngineProcess {
    const child = startProcess('./engine-main.js', held);
    if (child === undefined)
      throw new HostError('no engine can be started: the host has no room for a process');
    return new EngineProcess(child.pid!, controlOf(child));
  }

  /** The last message of this type that it has sent. */
  said<Type extends MessageType>(type: Type): Message<Type> | undefined {
    return this.#said.get(type) as Message<Type> | undefined;
  }

  /** Calls `listener` with every message of this type. */
  on<Type extends MessageType>(type: Type, listener: (message: Message<Type>) => void): void {
    this.#messages.on(type, listener);
  }

  /** Resolves when it sends a message of this type; rejects if it dies first. */
  says(type: MessageType): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#messages.once(type, () => resolve());
      this.exited.then(() => reject(new Error(`the engine died before it was ${type}`)));
    });
  }

  /** The same, and at once if it has sent one already. */
  async hasSaid(type: MessageType): Promise<void> {
    if (!this.#said.has(type)) await this.says(type);
  }

  kill(): void {
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch {
      // It was faster.
    }
  }

  #onMessage(message: ToKeeper): void {
    this.#said.set(message.type, message);
    this.#messages.emit(message.type, message);
  }
}
