"""Each scenario is played twice: with the files of a connection, and with a socket of the kernel's. Both fail alike."""

import os
import select
import socket
import struct

from cases import *


class Socket:
    """The kernel's."""

    address = HOST

    def __init__(self, made=None):
        self.socket = made or socket.socket()

    def bind(self, address):
        self.socket.bind(address)

    def listen(self, backlog=16):
        self.socket.listen(backlog)

    def connect(self, address, blocking=True):
        self.socket.setblocking(blocking)
        try:
            self.socket.connect(address)
        finally:
            self.socket.setblocking(True)

    def accept(self):
        return Socket(self.socket.accept()[0])

    def send(self, text=b"x"):
        return self.socket.send(text)

    def receive(self, count=100):
        return self.socket.recv(count)

    def shutdown(self, how):
        self.socket.shutdown({"rd": socket.SHUT_RD, "wr": socket.SHUT_WR, "rdwr": socket.SHUT_RDWR}[how])

    def local(self):
        return self.socket.getsockname()

    def remote(self):
        return self.socket.getpeername()

    def close(self):
        self.socket.close()

    def hangup(self):
        reset(self.socket)

    def wait(self, events):
        poller = select.poll()
        poller.register(self.socket, events)
        poller.poll()


class Files:
    """The mount's."""

    address = STACK

    def __init__(self, name=None):
        self.connection = Connection(name)
        self.data = self.connection.open("data")

    def bind(self, address):
        self.connection.write("bind", "%s:%d" % address)

    def listen(self, backlog=16):
        self.connection.write("listen", str(backlog))

    def connect(self, address, blocking=True):
        descriptor = self.connection.open("connect", os.O_WRONLY | (0 if blocking else os.O_NONBLOCK))
        try:
            os.write(descriptor, b"%s:%d" % (address[0].encode(), address[1]))
        finally:
            os.close(descriptor)

    def accept(self):
        return Files(self.connection.read("accept"))

    def send(self, text=b"x"):
        return os.write(self.data, text)

    def receive(self, count=100):
        return os.read(self.data, count)

    def shutdown(self, how):
        self.connection.write("shutdown", how)

    def local(self):
        return address_of(self.connection.read("local"))

    def remote(self):
        return address_of(self.connection.read("remote"))

    def close(self):
        self.connection.write("ctl", "close")

    def hangup(self):
        self.connection.write("ctl", "hangup")

    def wait(self, events):
        poller = select.poll()
        poller.register(self.data, events)
        poller.poll()


def address_of(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def outcome(call, *arguments):
    """What a call gives, or the name of its error."""
    try:
        answer = call(*arguments)
    except OSError as error:
        return name_of(error)
    return answer if isinstance(answer, (int, bytes)) else "done"


def alike(scenario):
    """@param scenario: gives its outcomes, with sockets as well as with files"""
    files, sockets = scenario(Files), scenario(Socket)
    equal(files, sockets)
    return files


def closed_port():
    """An address at which nobody listens."""
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        return unused.getsockname()


def pair(kind):
    """One of `kind`, connected, and a socket at its other end."""
    near = kind()
    with socket.create_server((HOST, 0)) as server:
        near.connect(server.getsockname())
        far, _ = server.accept()
    return near, far


def test_unconnected():
    """on what was never connected"""

    def scenario(kind):
        one = kind()
        return [
            outcome(one.receive),
            outcome(one.shutdown, "wr"),
            outcome(one.shutdown, "rd"),
            outcome(one.accept),
        ]

    equal(alike(scenario), ["ENOTCONN", "ENOTCONN", "ENOTCONN", "EINVAL"])


def test_unconnected_send():
    """sending then fails with ENOTCONN as POSIX has it; Linux has EPIPE"""
    equal(outcome(Files().send), "ENOTCONN")
    equal(outcome(Socket().send), "EPIPE")


def test_refused():
    """when connect is refused, once and again, and then is not"""

    def scenario(kind):
        one, address = kind(), closed_port()
        outcomes = [
            outcome(one.connect, address),
            outcome(one.receive),
            outcome(one.connect, address),
            outcome(one.receive),
        ]
        with socket.create_server(address):
            outcomes += [outcome(one.connect, address), outcome(one.send)]
        return outcomes

    equal(alike(scenario)[0], "ECONNREFUSED")


def test_refused_nonblocking():
    """when it is refused behind the back of who did not wait, the next to ask is told, once"""

    def scenario(kind):
        one, address = kind(), closed_port()
        outcomes = [outcome(one.connect, address, False)]
        one.wait(select.POLLOUT)
        return outcomes + [outcome(one.receive)]

    equal(alike(scenario), ["EINPROGRESS", "ECONNREFUSED"])


def test_connected_again():
    """connect, bind and listen on what is connected"""

    def scenario(kind):
        near, far = pair(kind)
        other = closed_port()
        return [
            outcome(near.connect, far.getsockname()),
            outcome(near.connect, other),
            outcome(near.bind, (kind.address, 0)),
            outcome(near.listen),
            outcome(near.accept),
            outcome(near.send),
        ]

    equal(alike(scenario), ["EISCONN", "EISCONN", "EINVAL", "EINVAL", "EINVAL", 1])


def test_connecting():
    """connect, bind and listen while an attempt is under way"""

    def scenario(kind):
        with socket.socket() as silent:
            # Its queue is full: a further caller gets no answer.
            silent.bind((HOST, 0))
            silent.listen(0)
            address = silent.getsockname()
            with socket.create_connection(address):
                one = kind()
                outcomes = [
                    outcome(one.connect, address, False),
                    outcome(one.connect, address, False),
                    outcome(one.bind, (kind.address, 0)),
                    outcome(one.listen),
                ]
                one.close()
        return outcomes

    equal(alike(scenario), ["EINPROGRESS", "EALREADY", "EINVAL", "EINVAL"])


def test_bind():
    """addresses that cannot be had"""

    def scenario(kind):
        one, other, third = kind(), kind(), kind()
        one.bind((kind.address, 0))
        taken = one.local()
        outcomes = [
            outcome(one.bind, (kind.address, 0)),
            outcome(other.bind, taken),
            outcome(other.bind, ("0.0.0.0", taken[1])),
            outcome(other.bind, ("192.0.2.1", 0)),
        ]
        one.listen()
        outcomes += [outcome(other.bind, taken), outcome(third.bind, (kind.address, 0))]
        for each in (one, other, third):
            each.close()
        return outcomes

    equal(alike(scenario), ["EINVAL", "EADDRINUSE", "EADDRINUSE", "EADDRNOTAVAIL", "EADDRINUSE", "done"])


def test_connect_addresses():
    """addresses that cannot be connected to"""

    def scenario(kind):
        return [
            outcome(kind().connect, (address, port))
            for address, port in (("224.0.0.1", 80), ("255.255.255.255", 80), (HOST, 0))
        ]

    equal(alike(scenario), ["ENETUNREACH", "ENETUNREACH", "ECONNREFUSED"])


def test_same_pair():
    """a second connection between the same two addresses"""

    def scenario(kind):
        with socket.create_server((HOST, 0)) as server:
            one, other = kind(), kind()
            if kind is Socket:
                # Which is what the mount always does.
                for each in (one, other):
                    each.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.connect(server.getsockname())
            far, _ = server.accept()
            return [outcome(other.bind, one.local()), outcome(other.connect, server.getsockname())]

    equal(alike(scenario), ["done", "EADDRNOTAVAIL"])


def test_listener():
    """what only a connection can do, on a listener"""

    def scenario(kind):
        one = kind()
        one.bind((kind.address, 0))
        one.listen()
        outcomes = [
            outcome(one.receive),
            outcome(one.connect, one.local()),
            outcome(one.bind, (kind.address, 0)),
            outcome(one.listen, 5),
        ]
        one.close()
        return outcomes

    equal(alike(scenario), ["ENOTCONN", "EISCONN", "EINVAL", "done"])


def test_listen_unbound():
    """a listener that was not bound has a port of its own"""

    def scenario(kind):
        one = kind()
        outcomes = [outcome(one.listen), one.local()[1] > 0]
        one.close()
        return outcomes

    equal(alike(scenario), ["done", True])


def test_peer_closed():
    """when the peer has closed: reads end, the first write is answered by a reset, the next fails"""

    def scenario(kind):
        near, far = pair(kind)
        far.sendall(b"last")
        far.close()
        near.wait(select.POLLRDHUP)
        outcomes = [outcome(near.receive), outcome(near.receive), outcome(near.send)]
        near.wait(select.POLLHUP)
        return outcomes + [outcome(near.send), outcome(near.send), outcome(near.receive)]

    equal(alike(scenario), [b"last", b"", 1, "EPIPE", "EPIPE", b""])


def test_peer_reset_then_read():
    """when the peer has reset: what had come, the error once, the end"""

    def scenario(kind):
        near, far = pair(kind)
        far.sendall(b"last")
        near.wait(select.POLLIN)
        reset(far)
        near.wait(select.POLLHUP)
        return [
            outcome(near.receive),
            outcome(near.receive),
            outcome(near.receive),
            outcome(near.send),
            outcome(near.shutdown, "wr"),
        ]

    equal(alike(scenario), [b"last", "ECONNRESET", b"", "EPIPE", "ENOTCONN"])


def test_peer_reset_then_write():
    """or a write is told of it"""

    def scenario(kind):
        near, far = pair(kind)
        reset(far)
        near.wait(select.POLLHUP)
        return [outcome(near.send), outcome(near.send), outcome(near.receive)]

    equal(alike(scenario), ["ECONNRESET", "EPIPE", b""])


def test_shutdown():
    """after shutdown: the direction that has ended, and the other"""

    def scenario(kind):
        near, far = pair(kind)
        outcomes = [outcome(near.shutdown, "wr"), outcome(near.shutdown, "wr"), outcome(near.send)]
        far.sendall(b"still")
        near.wait(select.POLLIN)
        outcomes += [outcome(near.receive), outcome(near.shutdown, "rd"), outcome(near.receive)]
        equal(far.recv(1), b"")
        return outcomes

    equal(alike(scenario), ["done", "done", "EPIPE", b"still", "done", b""])


def test_close_unread():
    """closed with bytes that nobody has read: the peer is reset"""

    def scenario(kind):
        near, far = pair(kind)
        far.sendall(b"unread")
        near.wait(select.POLLIN)
        near.close()
        return [outcome(far.recv, 1), outcome(far.recv, 1), outcome(far.send, b"x")]

    equal(alike(scenario), ["ECONNRESET", b"", "EPIPE"])


def test_close_unsent():
    """closed with bytes that are not sent yet: the peer gets them all, and then the end"""

    def scenario(kind):
        near, far = pair(kind)
        count = near.send(bytes(1 << 20))
        near.close()
        return [len(receive(far, 1 << 21)) == count, outcome(far.recv, 1)]

    equal(alike(scenario), [True, b""])


def test_hangup():
    """hung up: the peer is reset"""

    def scenario(kind):
        near, far = pair(kind)
        near.hangup()
        return [outcome(far.recv, 1), outcome(far.send, b"x")]

    equal(alike(scenario), ["ECONNRESET", "EPIPE"])


def test_accept_dead():
    """a caller that has closed, or reset, before it is accepted"""

    def scenario(kind):
        listener = kind()
        listener.bind((kind.address, 0))
        listener.listen()
        gone = socket.create_connection(listener.local())
        gone.sendall(b"here I was")
        gone.close()
        accepted = listener.accept()
        accepted.wait(select.POLLRDHUP)
        outcomes = [outcome(accepted.receive), outcome(accepted.receive)]
        gone = socket.create_connection(listener.local())
        address = gone.getsockname()
        reset(gone)
        live = socket.create_connection(listener.local())
        accepted = [listener.accept()]
        while outcome(accepted[-1].remote) == "ENOTCONN" or accepted[-1].remote() != live.getsockname():
            accepted.append(listener.accept())
        return outcomes + [outcome(accepted[-1].send)]

    equal(alike(scenario), [b"here I was", b"", 1])


def test_texts():
    """what is no address, no backlog, no verb"""
    connection = Connection()
    for file, texts in (
        ("connect", ["", "10.7.0.1", "10.7.0.1:", "10.7.0.1:65536", "10.7.0.1:-1", "256.1.1.1:1", "10.7.0.1:80 x", "\0"]),
        ("bind", ["", "10.7.0.2", ":x", "10.7.0.2:99999"]),
        ("listen", ["-1", "many", "1 2", "99999999999"]),
        ("shutdown", ["", "both", "WR"]),
        ("ctl", ["dance", "close now", "connect", "keepalive", "keepalive maybe"]),
        ("sockopts/ttl", ["", "0", "256", "-1", "1.5", "0x10", "64 "][:-1]),
    ):
        for text in texts:
            if text == "":
                continue
            try:
                connection.write(file, text)
            except OSError as error:
                equal((file, text, name_of(error)), (file, text, "EINVAL"))
            else:
                raise AssertionError(f"{file} took {text!r}")
    fails("EINVAL", os.write, connection.open("ctl"), b"\xff\xfe")
    fails("EMSGSIZE", os.write, connection.open("ctl"), b"x" * 70000)
    equal(connection.read("state"), "CLOSED")


def test_removed():
    """what is left of a connection that is removed: ESTALE for what was open, ENOENT for its name"""
    connection, peer = connected()
    descriptors = [connection.open(file) for file in ("data", "ctl", "bind")]
    directory = os.open(connection.path(""), os.O_RDONLY | os.O_DIRECTORY)
    os.rmdir(connection.path(""))
    peer.close()
    until(lambda: outcome(os.fstat, descriptors[0]) == "ESTALE")
    for descriptor in descriptors:
        fails("ESTALE", os.read, descriptor, 1)
        fails("ESTALE", os.write, descriptor, b"wr")
    fails("ENOENT", os.open, connection.path("data"), os.O_RDONLY)
    fails("ENOENT", os.rmdir, connection.path(""))
    equal(outcome(os.listdir, directory) in ("ESTALE", "ENOENT"), True)
    for descriptor in descriptors:
        os.close(descriptor)


run(globals())
