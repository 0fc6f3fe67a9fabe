import { Socket } from 'node:net';
import { StoreError } from '../persist/store-error.ts';
import { RecordError } from '../tcp/record-error.ts';
import { answerPeers } from './answering.ts';
import type { Config } from './config.ts';
import { Control, type FromStandIn, type ToStandIn } from './control.ts';
import { Descriptor } from './descriptors.ts';
import { openLog } from './log.ts';
import { unprotectFromOutOfMemory } from './out-of-memory.ts';
import { closeOnExec } from './system-calls.ts';

for (const descriptor of Object.values(Descriptor)) closeOnExec(descriptor);
unprotectFromOutOfMemory();

// A terminal sends its signals to all processes of the daemon; only the keeper acts on them.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});

// Without the keeper nobody would end it before another engine speaks.
const control = new Control<FromStandIn, ToStandIn>(
  new Socket({ fd: Descriptor.control }),
  ({ config, shut }) => begin(config, shut),
  () => process.exit(),
);

function begin(config: Config, shut: readonly number[]): void {
  const log = openLog(config, 'stand-in');
  const { store, offload, address, prefix, address6, mtu } = config;
  try {
    const connections = answerPeers({
      ...{ store, address, prefix, address6, mtu },
      descriptor: Descriptor.tun,
      offload: offload === true,
      shut,
      onShut: (connection) => control.send({ shut: connection }),
      onRevoked: () => process.exit(),
    });
    log.warn({ connections }, 'no engine serves: answering peers');
  } catch (error) {
    if (!(error instanceof StoreError || error instanceof RecordError)) throw error;
    log.error({ reason: error.message }, 'no engine serves, and peers are not answered');
    process.exit(1);
  }
}
