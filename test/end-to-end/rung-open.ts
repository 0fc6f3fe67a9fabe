import type { Daemon } from './daemon.ts';
import type { Ended } from './shell.ts';

/** What becomes of an open(2) that waits when a signal with a handler interrupts it: prints `rang`. */
export async function rungOpen(daemon: Daemon, path: string): Promise<Ended> {
  return await daemon.run(`python3 -c '
import os, signal
def ring(*_):
    raise TimeoutError("rang")
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    os.open("${path}", os.O_RDWR)
except TimeoutError as error:
    print(error)
'`);
}
