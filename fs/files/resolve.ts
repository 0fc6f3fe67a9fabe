import { formatEndpoint } from '../../tcp/address.ts';
import { type Attempt, BLOCKED } from '../attempt.ts';
import type { Commons } from '../commons.ts';
import { endpointsOf } from '../destination.ts';
import type { QuestionFile } from '../file.ts';
import { inputText } from '../input.ts';

/** What `connect` and `dial/` would make of an address: a line for each socket, the one to be tried first at the top (Plan 9, ndb(8)). */
export const resolve: QuestionFile<Commons> = {
  name: 'resolve',
  stream: true,
  ask: ({ sources }, question, { now }): Attempt<readonly string[]> => {
    const text = inputText(question).trim();
    const network = text.startsWith('udp!') ? 'udp' : 'tcp';
    const endpoints = endpointsOf(text, network, sources.resolver, 0, now);
    return endpoints === BLOCKED ? BLOCKED : endpoints.map(formatEndpoint);
  },
};
