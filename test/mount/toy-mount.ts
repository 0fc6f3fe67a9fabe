import { closeSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountFuse, negotiate, openFuse } from '../../mount/fuse/initialization.ts';
import type { Negotiated } from '../../mount/fuse/negotiated.ts';
import { abortConnection, detach } from '../../mount/mount-table.ts';

/** A mount that nobody serves yet. */
export class ToyMount {
  readonly fuse: number;
  readonly path: string;
  readonly negotiated: Negotiated;
  readonly instance = 1;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'holdfast-toy-'));
    this.fuse = openFuse();
    mountFuse(this.fuse, this.path, { source: '/a store', allowOther: true });
    this.negotiated = negotiate(this.fuse);
  }

  end(): void {
    abortConnection(this.path);
    detach(this.path);
    closeSync(this.fuse);
    rmdirSync(this.path);
  }
}
