import { forget } from './forget.ts';

/** Many FORGETs at once. */
export const batchForget = forget;
