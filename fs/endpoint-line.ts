import { type Endpoint, formatEndpoint } from '../tcp/address.ts';

/** An end of a connection as the files tell it: `a.b.c.d:port` or `[v6]:port`; nothing when there is none yet. */
export function endpointLine(endpoint: Endpoint | undefined): string {
  return endpoint === undefined ? '' : formatEndpoint(endpoint);
}
