import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

/** More than any number that names a connection. */
const LONGEST_NAME = 32;

/** A connection that a command has made in a mounted tree, and that ends with the command, whichever way that ends. */
export class TreeConnection {
  /** Absolute path. */
  readonly directory: string;
  readonly #ctl: FileHandle;

  private constructor(directory: string, ctl: FileHandle) {
    this.directory = directory;
    this.#ctl = ctl;
  }

  /** @param mountpoint absolute path */
  static async make(mountpoint: string): Promise<TreeConnection> {
    const ctl = await open(join(mountpoint, 'tcp/clone'), 'r+');
    const { buffer, bytesRead } = await ctl.read(Buffer.alloc(LONGEST_NAME), 0, LONGEST_NAME, 0);
    const name = buffer.toString('utf8', 0, bytesRead).trim();
    const connection = new TreeConnection(join(mountpoint, 'tcp', name), ctl);
    await connection.command('autoclose on');
    return connection;
  }

  /** Has a command of its `ctl` done; rejects as write(2) fails. */
  async command(line: string): Promise<void> {
    await this.#ctl.write(`${line}\n`);
  }

  /** Opens its stream of bytes, which has no offsets. */
  async stream(): Promise<FileHandle> {
    return await open(join(this.directory, 'data'), 'r+');
  }
}
