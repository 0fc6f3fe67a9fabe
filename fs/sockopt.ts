import { ErrnoError } from '../tcp/errno.ts';
import type { SocketOptionName } from '../tcp/stack.ts';
import type { Call } from './attempt.ts';
import type { Connection } from './connection.ts';
import type { TextFile } from './file.ts';

/** How the number that an option is to TCP is written. */
export interface Form {
  readonly write: (value: number) => string;
  /** Undefined when `text` is no value. */
  readonly read: (text: string) => number | undefined;
}

/** A file in `sockopts/`, and a verb of `ctl` with the same name: it reads as its value, and takes a new one. */
export interface Sockopt extends TextFile<Connection> {
  readonly write: (connection: Connection, text: string, call: Call) => void;
}

export const DECIMAL: Form = {
  write: String,
  read: (text) => (/^[0-9]{1,10}$/.test(text) ? Number(text) : undefined),
};

/** The numbers count from 0 in the order of `words`. */
export function oneOf(words: readonly string[]): Form {
  return {
    write: (value) => words[value]!,
    read: (text) => {
      const value = words.indexOf(text);
      return value < 0 ? undefined : value;
    },
  };
}

export const OFF_OR_ON = oneOf(['off', 'on']);

/** @param name ends in the unit of the value, if it has one */
export function sockopt(name: string, option: SocketOptionName, form: Form): Sockopt {
  return {
    name,
    stream: false,
    read: ({ stack, pcb }) => form.write(stack.getOption(pcb, option)),
    write: ({ stack, pcb }, text, { now }) => {
      const value = form.read(text.trim());
      if (value === undefined) throw new ErrnoError('EINVAL');
      stack.setOption(pcb, option, value, now);
    },
  };
}
