import type { Operation } from '../operation.ts';
import { release } from './release.ts';

/** Directories share the handles of files. */
export const releasedir: Operation = release;
