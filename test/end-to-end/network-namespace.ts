import { Shell } from './shell.ts';

interface Teardown {
  teardown(handler: () => void | Promise<void>): unknown;
}

/** Another network namespace than the one that the test file is in. It goes with the test. */
export class NetworkNamespace {
  readonly #holder: Shell;

  private constructor(holder: Shell) {
    this.#holder = holder;
  }

  static async make(t: Teardown): Promise<NetworkNamespace> {
    const hold = 'ip link set lo up && echo ready && exec sleep infinity';
    const holder = new Shell(hold, '/', ['unshare', '--net']);
    t.teardown(async () => {
      holder.kill();
      await holder.ended;
    });
    await holder.printed(/ready/);
    return new NetworkNamespace(holder);
  }

  /** By which ip(8) knows it. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** What runs the command behind it there. */
  get inside(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.pid}/ns/net`];
  }

  /** Runs a bash snippet there. */
  async run(script: string): Promise<void> {
    const { status, stderr } = await new Shell(`set -e\n${script}`, '/', this.inside).ended;
    if (status !== 0) throw new Error(`${script}: ${stderr}`);
  }
}
