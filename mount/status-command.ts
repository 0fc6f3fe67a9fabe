import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isFrozen } from './freeze-command.ts';
import { HostError } from './host-error.ts';
import { mountAround } from './mount-table.ts';
import { statusAsJson, TABLES, tableAsJson } from './status-json.ts';
import { treeStatus } from './tree-status.ts';
import { UsageError } from './usage.ts';

/**
 * `holdfast status PATH [--json]`: the status of a mounted tree or of a connection in it, or one of its tables; as it stands in the
 * tree, or as JSON.
 */
export async function statusCommand(argv: readonly string[]): Promise<void> {
  const { path, json } = parse(argv);
  const columns = TABLES.get(join(basename(dirname(path)), basename(path)));
  const text = await statusOf(path, columns !== undefined);
  const value =
    columns === undefined ? statusAsJson : (table: string) => tableAsJson(table, columns);
  process.stdout.write(json ? `${JSON.stringify(value(text), undefined, 2)}\n` : text);
}

async function statusOf(path: string, isTable: boolean): Promise<string> {
  const mount = mountAround(path);
  if (mount !== undefined && (await isFrozen(mount.source))) {
    if (mount.mountpoint === path) return 'state frozen\n';
    throw new HostError(`${mount.mountpoint} is frozen; holdfast thaw has it go on`);
  }
  if (mount?.mountpoint === path) return await treeStatus(path);
  try {
    return await readFile(isTable ? path : join(path, 'status'), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new HostError(
      `${path} is not a Holdfast mount, nor a connection or table of one (${code})`,
    );
  }
}

function parse(argv: readonly string[]): { path: string; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { json: { type: 'boolean' } },
    });
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0) {
      throw new Error('status takes one mountpoint, connection or table');
    }
    return { path: resolve(path), json: values.json ?? false };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
