import type { NetworkNamespace } from './network-namespace.ts';
import { Shell } from './shell.ts';

/** As long as its standard input is open, a line for each TCP segment from `address` that leaves by an interface. */
const CAPTURE = `
import select, socket, struct, sys
name, address = sys.argv[1], socket.inet_aton(sys.argv[2])
ETH_P_ALL, SO_RCVBUFFORCE, SO_TIMESTAMPNS, PACKET_OUTGOING = 3, 33, 35, 4
SOL_PACKET, PACKET_STATISTICS = 263, 6
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
s.bind((name, ETH_P_ALL))
def take():
    packet, ancillary, _, source = s.recvmsg(100, 64)
    if source[2] != PACKET_OUTGOING or packet[0] >> 4 != 4: return
    if packet[9] != socket.IPPROTO_TCP or packet[12:16] != address: return
    seconds, nanoseconds = struct.unpack('qq', ancillary[0][2])
    at = (packet[0] & 15) * 4
    seq, ack = struct.unpack('!II', packet[at + 4:at + 12])
    print('segment', seconds * 10**9 + nanoseconds, seq, ack, packet[at + 13])
print('listening', flush=True)
while sys.stdin not in select.select([s, sys.stdin], [], [])[0]: take()
while select.select([s], [], [], 0)[0]: take()
print('lost', struct.unpack('II', s.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1])
`;

/** A segment that has left a host. */
export interface Departure {
  /** When, nanoseconds of the clock that all hosts here have. */
  readonly at: bigint;
  readonly SEG_SEQ: number;
  readonly SEG_ACK: number;
  readonly flags: number;
}

/** A capture of what leaves a host by an interface. */
export class Capture {
  readonly #shell: Shell;

  private constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** @param address whose segments alone are captured */
  static async start(
    t: { teardown(handler: () => void | Promise<void>): unknown },
    host: NetworkNamespace,
    name: string,
    address: string,
  ): Promise<Capture> {
    const script = `exec python3 -c "${CAPTURE}" ${name} ${address}`;
    const shell = new Shell(script, '/', host.inside, 'pipe');
    t.teardown(() => shell.kill());
    await shell.printed(/listening/);
    return new Capture(shell);
  }

  /** Ends it. @returns all of them, in order */
  async end(): Promise<Departure[]> {
    this.#shell.process.stdin!.end();
    const { stdout, stderr } = await this.#shell.ended;
    if (!stdout.endsWith('\nlost 0\n')) throw new Error(`the capture is not whole: ${stderr}`);
    return [...stdout.matchAll(/^segment (\d+) (\d+) (\d+) (\d+)$/gm)].map(
      ([, at, SEG_SEQ, SEG_ACK, flags]) => ({
        at: BigInt(at!),
        SEG_SEQ: Number(SEG_SEQ),
        SEG_ACK: Number(SEG_ACK),
        flags: Number(flags),
      }),
    );
  }
}
