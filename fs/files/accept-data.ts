import type { Connection } from '../connection.ts';
import type { StreamFile } from '../file.ts';
import { acceptOne } from './accept.ts';
import { data } from './data.ts';

/** Opening it waits until somebody has connected; the open file then is the `data` of that connection. */
export const acceptData: StreamFile<Connection> = {
  ...data,
  name: 'accept_data',
  accept: acceptOne,
};
