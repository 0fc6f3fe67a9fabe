import { ErrnoError } from '../tcp/errno.ts';
import type { CommonOptionName } from '../tcp/socket-option.ts';
import type { SocketOptionName } from '../tcp/stack.ts';
import type { Call } from './attempt.ts';
import type { AnyConnection, Connection } from './connection.ts';
import type { TextFile } from './file.ts';

/** How the number that an option is to TCP is written. */
export interface Form {
  readonly write: (value: number) => string;
  /** Undefined when `text` is no value. */
  readonly read: (text: string) => number | undefined;
}

/** A file in `sockopts/`, and a verb of `ctl` with the same name: it reads as its value, and takes a new one. */
export interface Sockopt<Subject = Connection> extends TextFile<Subject> {
  readonly write: (connection: Subject, text: string, call: Call) => void;
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

/**
 * An option of TCP.
 * @param name ends in the unit of the value, if it has one
 */
export function sockopt(name: string, option: SocketOptionName, form: Form): Sockopt {
  return optionFile(
    name,
    form,
    ({ stack, pcb }) => stack.getOption(pcb, option),
    ({ stack, pcb }, value, now) => stack.setOption(pcb, option, value, now),
  );
}

/** The same of an option that UDP has too. */
export function commonSockopt(
  name: string,
  option: CommonOptionName,
  form: Form,
): Sockopt<AnyConnection> {
  return optionFile(
    name,
    form,
    (connection) => connection.getOption(option),
    (connection, value, now) => connection.setOption(option, value, now),
  );
}

function optionFile<Subject>(
  name: string,
  form: Form,
  get: (connection: Subject) => number,
  set: (connection: Subject, value: number, now: number) => void,
): Sockopt<Subject> {
  return {
    name,
    stream: false,
    read: (connection) => form.write(get(connection)),
    write: (connection, text, { now }) => {
      const value = form.read(text.trim());
      if (value === undefined) throw new ErrnoError('EINVAL');
      set(connection, value, now);
    },
  };
}
