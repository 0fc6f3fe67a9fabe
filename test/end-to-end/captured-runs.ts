import { FAR, FAR6, type Faults } from './bad-path.ts';
import type { Near } from './bad-path-transfer.ts';

/**
 * One thing that two hosts do, done once with a mount at the near end and once with the kernel's TCP there. The programs do the
 * same calls at the same points, so that captures can be compared.
 */
export interface CapturedRun {
  readonly title: string;
  readonly faults: Faults;
  /** Runs at the far end. Prints `listening` when it can be connected to. */
  readonly far: string;
  readonly near: Readonly<Record<Near, string>>;
}

const MIB = 1 << 20;
const PORT = 9000;

/** Each way takes 5 ms: most of what these runs do is waiting. */
const NEARBY: Faults = { delay: 5 };

/** What both Python programs begin with. `linger(s, 0)` makes close(2) a reset. */
const PRELUDE = `
import socket, struct, time
def linger(s, seconds):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, seconds))
def drain(s, size=None):
    got = 0
    while size is None or got < size:
        piece = s.recv(262144)
        if not piece: break
        got += len(piece)
    return got
`;

/** @param serve a Python body, for each of `connections` connections in turn, called \`c\` */
function server(serve: string, connections = 1, address = FAR): string {
  return python(`
family = socket.AF_INET6 if ':' in '${address}' else socket.AF_INET
listener = socket.socket(family)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('${address}', ${PORT}))
listener.listen(${connections})
print('listening', flush=True)
for _ in range(${connections}):
    c, _ = listener.accept()
${indented(serve)}
    c.close()
`);
}

/** @param talk a Python body with the connection \`c\` */
function client(talk: string, connections = 1, address = FAR): string {
  return python(`
for _ in range(${connections}):
    c = socket.create_connection(('${address}', ${PORT}))
${indented(talk)}
    c.close()
`);
}

/** @param talk a bash body with the connection's directory \`$c\` */
function onMount(talk: string, connections = 1, address = FAR): string {
  const remote = address.includes(':') ? `[${address}]` : address;
  return `
    set -e
    for _ in $(seq ${connections}); do
      c=$(mktemp -d net/tcp/XXXXXXXX)
      echo ${remote}:${PORT} > $c/connect
      ${talk}
      echo close > $c/ctl
    done
  `;
}

function python(program: string): string {
  return `exec python3 -c "${PRELUDE}${program}"`;
}

function indented(lines: string): string {
  return lines
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

function bulkOut(title: string, faults: Faults, size: number, address = FAR): CapturedRun {
  return {
    title,
    faults,
    far: server('drain(c)', 1, address),
    near: {
      mount: onMount(`head -c ${size} /dev/zero > $c/data`, 1, address),
      kernel: client(`c.sendall(bytes(${size}))`, 1, address),
    },
  };
}

function bulkIn(title: string, faults: Faults, size: number, address = FAR): CapturedRun {
  return {
    title,
    faults,
    far: server(`c.sendall(bytes(${size}))`, 1, address),
    near: {
      mount: onMount('cat $c/data > /dev/null', 1, address),
      kernel: client('drain(c)', 1, address),
    },
  };
}

export const CAPTURED_RUNS: readonly CapturedRun[] = [
  bulkOut('bulk out', NEARBY, 4 * MIB),
  bulkIn('bulk in', NEARBY, 4 * MIB),
  bulkOut('bulk out, IPv6', NEARBY, MIB, FAR6),
  bulkIn('bulk in, IPv6', NEARBY, MIB, FAR6),
  bulkOut('bulk out, 1 % lost', { loss: 0.01 }, MIB),
  bulkIn('bulk in, 1 % lost', { loss: 0.01 }, MIB),
  {
    title: 'many connections, closed by the near end',
    faults: NEARBY,
    far: server('drain(c)', 50),
    near: {
      mount: onMount('echo hello > $c/data', 50),
      kernel: client("c.sendall(b'hello\\\\n')", 50),
    },
  },
  {
    title: 'closed by the far end',
    faults: NEARBY,
    far: server("c.sendall(b'hello')\nc.shutdown(socket.SHUT_WR)\ndrain(c)"),
    near: { mount: onMount('cat $c/data > /dev/null'), kernel: client('drain(c)') },
  },
  {
    title: 'closed by both at once',
    faults: { delay: 100 },
    far: server('c.sendall(bytes(1))'),
    near: {
      mount: onMount('head -c 1 $c/data > /dev/null'),
      kernel: client('drain(c, 1)'),
    },
  },
  {
    title: 'reset by the near end',
    faults: NEARBY,
    far: server('try: drain(c)\nexcept ConnectionResetError: pass'),
    near: {
      mount: onMount('echo hello > $c/data; echo hangup > $c/ctl; continue'),
      kernel: client("c.sendall(b'hello\\\\n')\nlinger(c, 0)"),
    },
  },
  {
    title: 'reset by the far end',
    faults: NEARBY,
    far: server('drain(c, 1)\nlinger(c, 0)'),
    near: {
      mount: onMount('echo > $c/data; cat $c/data 2> /dev/null || true'),
      kernel: client("c.sendall(b'\\\\n')\ntry: drain(c)\nexcept ConnectionResetError: pass"),
    },
  },
  {
    title: 'nobody listens',
    faults: NEARBY,
    far: 'echo listening',
    near: {
      mount: onMount('exit 1').replace('> $c/connect', '> $c/connect 2> /dev/null || exit 0'),
      kernel: python(`
try: socket.create_connection(('${FAR}', ${PORT}))
except ConnectionRefusedError: pass
`),
    },
  },
  {
    title: 'urgent text from the far end',
    faults: NEARBY,
    far: server("c.sendall(b'before')\nc.send(b'!', socket.MSG_OOB)\nc.sendall(b'after')"),
    near: {
      mount: onMount('cat $c/data > /dev/null'),
      kernel: client('c.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)\ndrain(c)'),
    },
  },
  {
    title: 'a near end that does not read for a while',
    faults: NEARBY,
    far: server(`c.sendall(bytes(${16 * MIB}))`),
    near: {
      mount: onMount('sleep 2; cat $c/data > /dev/null'),
      kernel: client('time.sleep(2)\ndrain(c)'),
    },
  },
  {
    title: 'a far end that does not read for a while',
    faults: NEARBY,
    far: server('time.sleep(2)\ndrain(c)'),
    near: {
      mount: onMount(`head -c ${16 * MIB} /dev/zero > $c/data`),
      kernel: client(`c.sendall(bytes(${16 * MIB}))`),
    },
  },
];
