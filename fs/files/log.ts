import { growingFile } from '../growing-file.ts';

/** What the engine logs. */
export const log = growingFile('log', (commons) => commons.log);
