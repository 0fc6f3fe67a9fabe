import { execFileSync } from 'node:child_process';
import type { Test } from 'tap';
import { NetworkNamespace } from './network-namespace.ts';

/** Where the test itself is on the network that it makes. */
export const PEER = '10.8.0.1';
export const PEER6 = 'fd00:8::1';

/** An Ethernet with this network namespace on it: the bridge `lan`. */
export function makeLan(): void {
  ip('link add name lan type bridge');
  ip('link set lan up');
  ip(`address add ${PEER}/24 dev lan`);
  ip(`address add ${PEER6}/64 dev lan nodad`);
}

/**
 * A host on it, a network namespace of its own, whose interface is called `lan` there.
 * @param name of the interface's other end
 */
export async function joinLan(t: Test, name: string): Promise<NetworkNamespace> {
  const host = await NetworkNamespace.make(t);
  ip(`link add name ${name} type veth peer name lan netns ${host.pid}`);
  ip(`link set dev ${name} master lan up`);
  await host.run('ip link set lan up');
  return host;
}

export function ip(words: string): void {
  execFileSync('ip', words.split(' '));
}
