import type { Lmdb } from './lmdb.ts';

/** What a commit asks of LMDB. */
export type Transactions = Pick<Lmdb, 'transactionSync' | 'put' | 'remove'>;

/**
 * Takes what LMDB would take, makes the same copy, and keeps nothing: what it saves is what the journal costs. Only a
 * bench has a use for that.
 */
export function unwritten(): Transactions {
  let page = new Uint8Array(1 << 20);
  const put = (_key: Uint8Array, value: Uint8Array): Promise<boolean> => {
    if (value.length > page.length) page = new Uint8Array(2 * value.length);
    page.set(value);
    return DONE;
  };
  const transactions = {
    transactionSync: (action: () => unknown) => action(),
    put,
    remove: () => DONE,
  };
  return transactions as unknown as Transactions;
}

const DONE = Promise.resolve(true);
