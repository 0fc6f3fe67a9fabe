import type { Request } from './request.ts';

/** Requests that wait for a connection to change, in order of arrival. */
export class Parked {
  readonly #byKey = new Map<number, Request>();
  readonly #byConnection = new Map<number, Request[]>();

  park(request: Request, connection: number): void {
    this.#byKey.set(request.key, request);
    request.waitsOn = connection;
    const others = this.#byConnection.get(connection);
    if (others === undefined) this.#byConnection.set(connection, [request]);
    else others.push(request);
  }

  /** Takes out the request `key`, if it waits. */
  take(key: number): Request | undefined {
    const request = this.#byKey.get(key);
    if (request === undefined) return undefined;
    this.#byKey.delete(key);
    const others = this.#byConnection.get(request.waitsOn)!;
    if (others.length === 1) this.#byConnection.delete(request.waitsOn);
    else others.splice(others.indexOf(request), 1);
    return request;
  }

  /** Whether anything waits for `connection`. */
  has(connection: number): boolean {
    return this.#byConnection.has(connection);
  }

  /** Takes out all that wait for `connection`. */
  takeAll(connection: number): readonly Request[] {
    const requests = this.#byConnection.get(connection);
    if (requests === undefined) return NONE;
    this.#byConnection.delete(connection);
    for (const request of requests) this.#byKey.delete(request.key);
    return requests;
  }
}

const NONE: readonly Request[] = [];
