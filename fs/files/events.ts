import { growingFile } from '../growing-file.ts';

/** A line for each connection that has come into another state. */
export const events = growingFile('events', (commons) => commons.events.text);
