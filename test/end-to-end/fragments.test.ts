import '../namespace.ts';
import t from 'tap';
import { Daemon, IPV6, STACK, STACK6 } from './daemon.ts';

/** Sends what the host's kernel must cut into fragments, and prints what comes back. */
const ASK = `
import os, socket, sys
family, address, protocol, request, reply = sys.argv[1:]
family = getattr(socket, family)
data = os.urandom(4000)

raw = socket.socket(family, socket.SOCK_RAW, int(protocol))
raw.settimeout(30)
echo = bytes([int(request), 0, 0, 0, 0x12, 0x34, 0, 7]) + data
if family == socket.AF_INET:
    words = sum(int.from_bytes(echo[i:i + 2], 'big') for i in range(0, len(echo), 2))
    while words > 0xffff:
        words = (words >> 16) + (words & 0xffff)
    echo = echo[:2] + (words ^ 0xffff).to_bytes(2, 'big') + echo[4:]
raw.sendto(echo, (address, 0))
while True:
    message = raw.recv(10000)
    if family == socket.AF_INET:
        message = message[(message[0] & 15) * 4:]
    if message[0] == int(reply) and message[4:8] == echo[4:8]:
        print(message[8:] == data)
        break

udp = socket.socket(family, socket.SOCK_DGRAM)
udp.settimeout(30)
udp.connect((address, 9))
udp.send(data)
try:
    udp.recv(1)
except ConnectionRefusedError as error:
    print(error.strerror)
`;

for (const [family, address, protocol, request, reply] of [
  ['AF_INET', STACK, 1, 8, 0],
  ['AF_INET6', STACK6, 58, 128, 129],
] as const) {
  t.test(`4000 bytes over an MTU of 1280, ${family}`, async (t) => {
    const daemon = await Daemon.start(t, ...IPV6, '--mtu', '1280');
    const question = `${family} ${address} ${protocol} ${request} ${reply}`;
    const asked = await daemon.run(`python3 - ${question} <<'PROGRAM'${ASK}PROGRAM`);
    t.match(asked, { status: 0, stdout: 'True\nConnection refused\n', stderr: '' });
  });
}
