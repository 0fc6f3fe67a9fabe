import { closeSync } from 'node:fs';
import { startInBackground } from './background.ts';
import type { Config } from './config.ts';
import { DRIVERS } from './drivers.ts';
import { demandPatience } from './fuse/request-timeout.ts';
import { Keeper } from './keeper.ts';
import { openLog } from './log.ts';
import { parseMountOptions } from './mount-options.ts';
import { prepareMountpoint } from './mountpoint.ts';
import { protectFromOutOfMemory } from './out-of-memory.ts';
import { runKeeper } from './run-keeper.ts';
import type { HeldDescriptors } from './start-process.ts';
import { lockStore } from './store-lock.ts';
import { configureTun, forgetTun, openTun, tunExists } from './tun.ts';

/** `holdfast mount`: mounts the tree and serves it until a signal or an unmount. */
export async function mountCommand(argv: readonly string[]): Promise<void> {
  const { config, daemon } = parseMountOptions(argv);
  if (daemon) {
    await startInBackground(config, argv);
    return;
  }
  demandPatience();
  await prepareMountpoint(config.mountpoint);
  const tunWasThere = tunExists(config.tun);
  const held = await holdDescriptors(config);
  const keeper = new Keeper(config, held, openLog(config, 'keeper'));
  try {
    await keeper.mount();
  } catch (error) {
    if (!tunWasThere) forgetTun(held.tun);
    throw error;
  }
  protectFromOutOfMemory();
  for (const limit of DRIVERS[config.driver].limits) {
    process.stderr.write(`holdfast: --driver ${config.driver}: ${limit}\n`);
  }
  process.stdout.write(`holdfast: ready: ${config.mountpoint}, ${addresses(config)}\n`);
  await runKeeper(keeper, config.store);
}

function addresses(config: Config): string {
  const { address, address6, hostAddress, hostAddress6, tun } = config;
  const ipv6 = address6 === undefined ? '' : `, address ${address6}, host side ${hostAddress6}`;
  return `address ${address}, host side ${hostAddress}${ipv6} on ${tun}`;
}

async function holdDescriptors(config: Config): Promise<HeldDescriptors> {
  const lock = await lockStore(config.store);
  const fuse = DRIVERS[config.driver].open();
  const tun = openTun(config.tun, config.offload === true);
  try {
    const { hostAddress, hostAddress6 } = config;
    const addresses = hostAddress6 === undefined ? [hostAddress] : [hostAddress, hostAddress6];
    configureTun(config.tun, addresses, config.mtu);
  } catch (error) {
    closeSync(tun);
    throw error;
  }
  return { fuse, tun, lock };
}
