import type { DriverName } from './config.ts';
import type { Driver } from './driver.ts';
import { direct } from './fuse/driver.ts';
import { fuseNative } from './fuse-native/driver.ts';

export const DRIVERS: Readonly<Record<DriverName, Driver>> = { direct, 'fuse-native': fuseNative };
