"""poll, select and epoll, level and edge, on every file that a program may wait for."""

import os
import select
import selectors
import socket
import struct

from cases import *

IN, OUT, PRI, ERR, HUP, RDHUP = (
    select.EPOLLIN,
    select.EPOLLOUT,
    select.EPOLLPRI,
    select.EPOLLERR,
    select.EPOLLHUP,
    select.EPOLLRDHUP,
)
# poll(2) has these two beside POLLIN and POLLOUT; epoll tells only what it was asked for.
BITS = IN | OUT | PRI | ERR | HUP | RDHUP


class Watch:
    """An epoll of one descriptor."""

    def __init__(self, descriptor, events):
        self.epoll = select.epoll()
        self.epoll.register(descriptor, events)

    def now(self):
        """What is ready, without waiting; 0: nothing."""
        return sum(events for _, events in self.epoll.poll(0))

    def wait(self):
        ((_, events),) = self.epoll.poll()
        return events


def polled(descriptor, events=BITS):
    """What poll(2) says at once."""
    poller = select.poll()
    poller.register(descriptor, events)
    return sum(ready for _, ready in poller.poll(0)) & BITS


def arrived(connection, count):
    """Waits until so many bytes can be read."""
    until(lambda: f"readable {count}" in connection.read("status").splitlines())


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def test_level():
    """level-triggered, a descriptor is ready for as long as there is something to read"""
    connection, peer = connected()
    data = connection.open("data", os.O_RDONLY)
    watch = Watch(data, IN)
    equal(watch.now(), 0)
    peer.sendall(b"12")
    for _ in range(3):
        equal(watch.wait(), IN)
    os.read(data, 1)
    equal(watch.wait(), IN)
    os.read(data, 1)
    equal(watch.now(), 0)
    peer.sendall(b"3")
    equal(watch.wait(), IN)


def test_edge_in():
    """edge-triggered, a descriptor is ready once for what has come, and not again for what was left"""
    connection, peer = connected()
    data = connection.open("data", os.O_RDONLY | os.O_NONBLOCK)
    watch = Watch(data, IN | select.EPOLLET)
    equal(watch.now(), 0)
    for round in range(20):
        peer.sendall(b"abc")
        equal(watch.wait(), IN)
        equal(watch.now(), 0)
        # Neither reading a part nor writing brings anything new.
        os.read(data, 1)
        connection.write("data", "x")
        equal(receive(peer, 1), b"x")
        connection.read("status")
        equal(watch.now(), 0)
        peer.sendall(b"d")
        equal(watch.wait(), IN)
        equal(os.read(data, 100), b"bcd")
        fails("EAGAIN", os.read, data, 1)
        equal(watch.now(), 0)
    peer.close()
    equal(watch.wait() & IN, IN)
    equal(os.read(data, 1), b"")


def test_edge_after_part():
    """nothing is missed by who reads a part, and is told of the next that comes"""
    connection, peer = connected()
    data = connection.open("data", os.O_RDONLY | os.O_NONBLOCK)
    watch = Watch(data, IN | select.EPOLLET)
    for _ in range(200):
        peer.sendall(b"xx")
        equal(watch.wait(), IN)
        os.read(data, 1)


def test_edge_out():
    """edge-triggered for writing: once at first, and then whenever there is room again"""
    connection, peer = connected(room=200000)
    data = connection.open("data", os.O_WRONLY | os.O_NONBLOCK)
    watch = Watch(data, OUT | select.EPOLLET)
    equal(watch.wait(), OUT)
    equal(watch.now(), 0)
    os.write(data, b"little")
    equal(receive(peer, 6), b"little")
    connection.read("status")
    equal(watch.now(), 0)
    for _ in range(5):
        total = fill(connection, data)
        # There may have been room on the way.
        watch.now()
        equal(watch.now(), 0)
        equal(len(receive(peer, total)), total)
        equal(watch.wait(), OUT)


def test_writable():
    """ready to be written means that a write goes through"""
    connection, peer = connected(room=200000)
    data = connection.open("data", os.O_WRONLY | os.O_NONBLOCK)
    watch = Watch(data, OUT)
    sent = received = 0
    while sent < 4 << 20:
        if received == sent:
            watch.wait()
        elif not watch.now():
            received += len(peer.recv(1 << 20))
            continue
        # As many as poll has promised to take.
        sent += os.write(data, bytes(4096))
    while received < sent:
        received += len(peer.recv(1 << 20))
    equal(received, sent)


def test_oneshot():
    """one-shot, it is ready once until it is armed again"""
    connection, peer = connected()
    data = connection.open("data", os.O_RDONLY)
    watch = Watch(data, IN | select.EPOLLONESHOT)
    peer.sendall(b"1")
    equal(watch.wait(), IN)
    peer.sendall(b"2")
    arrived(connection, 2)
    equal(watch.now(), 0)
    watch.epoll.modify(data, IN | select.EPOLLONESHOT)
    equal(watch.wait(), IN)


def test_many_watchers():
    """everybody who waits is told, each for what it waits for"""
    connection, peer = connected()
    data = connection.open("data", os.O_RDWR)
    reader = Background(lambda: Watch(data, IN).wait())
    other = Background(lambda: select.select([connection.open("data", os.O_RDONLY)], [], []))
    ends = Background(lambda: Watch(data, RDHUP).wait())
    peer.sendall(b"x")
    equal(reader.result(), IN)
    equal(len(other.result()[0]), 1)
    equal(ends.thread.is_alive(), True)
    peer.shutdown(socket.SHUT_WR)
    equal(ends.result(), RDHUP)


def test_bits():
    """poll says of each stage of a connection what it says of a socket"""

    def compare(connection, socket, stage):
        for file in ("data",):
            got, wanted = polled(connection.open(file)), polled(socket)
            if got != wanted:
                raise AssertionError(f"{stage}: {got:#x} is not {wanted:#x}")

    def pair():
        connection, peer = connected()
        with socket.create_server((HOST, 0)) as server:
            near = socket.create_connection(server.getsockname())
            far, _ = server.accept()
        return connection, peer, near, far

    fresh = socket.socket()
    compare(Connection(), fresh, "never connected")
    refused = Connection()
    unused = socket.create_server((HOST, 0))
    address = unused.getsockname()
    unused.close()
    fails("ECONNREFUSED", refused.write, "connect", "%s:%d" % address)
    fails("ECONNREFUSED", fresh.connect, address)
    compare(refused, fresh, "refused")
    connection, peer, near, far = pair()
    compare(connection, near, "connected")
    for other in (peer, far):
        other.sendall(b"x")
    arrived(connection, 1)
    until(lambda: polled(near) & IN)
    compare(connection, near, "readable")
    for other in (peer, far):
        other.shutdown(socket.SHUT_WR)
    until(lambda: connection.read("state") == "CLOSE-WAIT")
    until(lambda: polled(near) & RDHUP)
    compare(connection, near, "ended by the peer, unread")
    os.read(connection.open("data"), 1)
    near.recv(1)
    compare(connection, near, "ended by the peer")
    connection.write("shutdown", "wr")
    near.shutdown(socket.SHUT_WR)
    until(lambda: connection.read("state") == "CLOSED" if os.path.exists(connection.path("state")) else True)
    compare(connection, near, "ended by both")

    connection, peer, near, far = pair()
    connection.write("shutdown", "wr")
    near.shutdown(socket.SHUT_WR)
    compare(connection, near, "ended here")

    connection, peer, near, far = pair()
    for other in (peer, far):
        other.sendall(b"x")
    arrived(connection, 1)
    until(lambda: polled(near) & IN)
    reset(peer)
    reset(far)
    until(lambda: connection.read("error"))
    until(lambda: polled(near) & ERR)
    compare(connection, near, "reset, unread")
    os.read(connection.open("data"), 1)
    near.recv(1)
    compare(connection, near, "reset")
    fails("ECONNRESET", os.read, connection.open("data"), 1)
    fails("ECONNRESET", near.recv, 1)
    compare(connection, near, "reset, and told")

    listener, _ = listening()
    server = socket.create_server((HOST, 0))
    equal(polled(listener.open("accept", os.O_RDONLY)), polled(server))


def test_accept():
    """accept is ready when somebody waits to be accepted, level and edge"""
    for file in ("accept", "accept_socket"):
        listener, address = listening()
        accept = listener.open(file, os.O_RDONLY | os.O_NONBLOCK)
        level, edge = Watch(accept, IN), Watch(accept, IN | select.EPOLLET)
        equal((level.now(), edge.now()), (0, 0))
        callers = [socket.create_connection(address)]
        equal((level.wait(), edge.wait()), (IN, IN))
        equal((level.wait(), edge.now()), (IN, 0))
        callers.append(socket.create_connection(address))
        equal((level.wait(), edge.wait()), (IN, IN))
        # Each open gives one of them.
        equal(listener.read(file) != "", True)
        equal((level.now(), edge.now()), (IN, 0))
        equal(os.read(accept, 100) != b"", True)
        # What it has said is there to be read to its end.
        equal(os.read(accept, 100), b"")
        fresh = listener.open(file, os.O_RDONLY | os.O_NONBLOCK)
        equal(polled(fresh), 0)
        fails("EAGAIN", os.read, fresh, 100)
        waiting = Background(lambda: Watch(fresh, IN).wait())
        callers.append(socket.create_connection(address))
        equal(waiting.result(), IN)


def test_connect():
    """connect is ready to be written when the outcome is known"""
    with socket.create_server((HOST, 0)) as server:
        connection = Connection()
        connect = connection.open("connect", os.O_RDWR | os.O_NONBLOCK)
        fails("EINPROGRESS", os.write, connect, b"%s:%d" % (HOST.encode(), server.getsockname()[1]))
        equal(Watch(connect, OUT).wait(), OUT)
        equal(connection.read("connect"), "connected")
        # The end of the port's life: the next attempt is refused.
        address = server.getsockname()
    refused = Connection()
    connect = refused.open("connect", os.O_RDWR | os.O_NONBLOCK)
    watch = Watch(connect, OUT | select.EPOLLET)
    watch.now()
    for _ in range(20):
        fails("EINPROGRESS", os.write, connect, b"%s:%d" % (HOST.encode(), address[1]))
        equal(watch.wait(), OUT | ERR | HUP)
        equal(refused.read("error"), "ECONNREFUSED Connection refused")


def test_state():
    """state is ready when it says something else than was read last"""
    connection, peer = connected()
    state = connection.open("state", os.O_RDONLY)
    watch = Watch(state, PRI)
    os.pread(state, 100, 0)
    equal(watch.now(), 0)
    peer.sendall(b"x")
    arrived(connection, 1)
    equal(watch.now(), 0)
    peer.shutdown(socket.SHUT_WR)
    equal(watch.wait(), PRI)
    equal(os.pread(state, 100, 0), b"CLOSE-WAIT\n")
    equal(watch.now(), 0)


def test_always():
    """whatever never blocks is always ready"""
    connection, _ = connected()
    for file in ("local", "remote", "error", "status", "bind", "listen", "sockopts/ttl"):
        equal(polled(connection.open(file, os.O_RDONLY)) & IN, IN)
    for path in ("net/README", "net/status", "net/tcp/connections", "net/tcp/stats", "net/events", "net/log"):
        equal(polled(os.open(path, os.O_RDONLY)) & IN, IN)
    # As with files of the kernel's own, a directory cannot be waited for.
    fails("EPERM", Watch, os.open("net/tcp", os.O_RDONLY), IN)


def test_gone():
    """who waits on a connection that is removed is woken"""
    for file, events in (("data", IN), ("peek", IN), ("state", PRI)):
        connection, peer = connected()
        descriptor = connection.open(file, os.O_RDONLY)
        os.read(descriptor, 0) if file != "state" else os.pread(descriptor, 100, 0)
        watch = Watch(descriptor, events)
        equal(watch.now(), 0)
        waiting = Background(watch.wait)
        os.rmdir(connection.path(""))
        peer.close()
        equal(waiting.result() & (events | ERR | HUP) != 0, True)
    listener, _ = listening()
    watch = Watch(listener.open("accept", os.O_RDONLY), IN)
    waiting = Background(watch.wait)
    os.rmdir(listener.path(""))
    equal(waiting.result() & (IN | ERR | HUP) != 0, True)


def test_selectors():
    """an echo server of Python's selectors, with many connections"""
    listener, address = listening()
    selector = selectors.DefaultSelector()
    clients = 30

    def serve():
        served = 0
        accept = listener.open("accept", os.O_RDONLY)
        selector.register(accept, selectors.EVENT_READ)
        while served < clients:
            for key, _ in selector.select():
                if key.fd == accept:
                    data = Connection(os.read(accept, 100).decode().strip()).open("data", os.O_RDWR | os.O_NONBLOCK)
                    selector.register(data, selectors.EVENT_READ)
                    # Each open gives one connection.
                    selector.unregister(accept)
                    os.close(accept)
                    accept = listener.open("accept", os.O_RDONLY)
                    selector.register(accept, selectors.EVENT_READ)
                elif text := os.read(key.fd, 1000):
                    os.write(key.fd, text)
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    served += 1
        return served

    server = Background(serve)
    sockets = [socket.create_connection(address) for _ in range(clients)]
    for round in range(10):
        for number, client in enumerate(sockets):
            client.sendall(b"%d of %d" % (round, number))
        for number, client in enumerate(sockets):
            text = b"%d of %d" % (round, number)
            equal(receive(client, len(text)), text)
    for client in sockets:
        client.shutdown(socket.SHUT_WR)
    equal(server.result(), clients)


run(globals())
