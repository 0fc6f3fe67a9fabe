import { forget } from './forget.ts';

/** The answer to FUSE_NOTIFY_RETRIEVE, which is never sent. */
export const notifyReply = forget;
