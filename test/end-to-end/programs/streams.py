"""Reading and writing `data`: what a program may expect of a stream."""

import fcntl
import mmap
import os
import random
import signal
import socket
import struct

from cases import *


def test_short_read():
    """a read gives what is there, however much it asks for"""
    connection, peer = connected()
    data = connection.open("data")
    peer.sendall(b"short")
    equal(os.read(data, 1 << 20), b"short")
    peer.sendall(b"one two")
    equal(os.read(data, 3), b"one")
    buffers = [bytearray(2), bytearray(9)]
    equal(os.readv(data, buffers), 4)
    equal(bytes(buffers[0] + buffers[1][:2]), b" two")


def test_nothing():
    """reading and writing no bytes is nothing, and waits for nothing"""
    connection, peer = connected()
    data = connection.open("data")
    equal(os.read(data, 0), b"")
    equal(os.write(data, b""), 0)
    os.write(data, b"after")
    equal(receive(peer, 5), b"after")


def test_end():
    """the end of the stream stays the end, for whoever opens it"""
    connection, peer = connected()
    data = connection.open("data")
    peer.sendall(b"last")
    peer.shutdown(socket.SHUT_WR)
    equal(os.read(data, 100), b"last")
    for _ in range(3):
        equal(os.read(data, 100), b"")
    equal(os.read(connection.open("data", os.O_RDONLY | os.O_NONBLOCK), 100), b"")
    equal(os.read(connection.open("peek", os.O_RDONLY), 100), b"")
    os.write(data, b"the other direction goes on")
    equal(receive(peer, 27), b"the other direction goes on")


def test_nonblock():
    """O_NONBLOCK counts for each call as it is by then, set by open or by fcntl"""
    connection, peer = connected()
    listener, _ = listening()
    for opened, file in ((connection, "data"), (connection, "peek"), (listener, "accept")):
        descriptor = opened.open(file, os.O_RDONLY | os.O_NONBLOCK)
        fails("EAGAIN", os.read, descriptor, 1)
        os.set_blocking(descriptor, True)
        reader = Background(os.read, descriptor, 1)
        until_inside(READ, os.getpid(), reader.id)
        if file == "accept":
            caller = socket.create_connection(listening_address(listener))
        else:
            peer.sendall(b"x")
        equal(len(reader.result()), 1)
    data = connection.open("data", os.O_RDONLY)
    equal(os.read(data, 1), b"x")
    os.set_blocking(data, False)
    fails("EAGAIN", os.read, data, 1)


def listening_address(listener):
    host, _, port = listener.read("local").rpartition(":")
    return host, int(port)


def test_partial_write():
    """a write takes what there is room for; when there is none, one that may not block says so"""
    connection, peer = connected()
    data = connection.open("data", os.O_WRONLY | os.O_NONBLOCK)
    count = os.write(data, bytes(32 << 20))
    assert 0 < count < 32 << 20, count
    sent = count + fill(connection, data)
    os.set_blocking(data, True)
    writer = Background(os.write, data, b"the rest")
    until_inside(WRITE, os.getpid(), writer.id)
    equal(len(receive(peer, sent)), sent)
    equal(writer.result(), 8)
    equal(receive(peer, 8), b"the rest")


def test_waiting_writer():
    """a write that waits holds up no other program, unless that one appends"""
    connection, peer = connected(room=200000)
    data = connection.open("data", os.O_WRONLY | os.O_NONBLOCK)
    sent = fill(connection, data)
    waiting = child(lambda: equal(os.write(connection.open("data", os.O_WRONLY), b"x"), 1))
    until_inside(WRITE, waiting)
    fails("EAGAIN", os.write, data, b"y")
    fails("EAGAIN", os.read, connection.open("data", os.O_RDONLY | os.O_NONBLOCK), 1)
    equal(connection.read("state"), "ESTABLISHED")
    equal(len(receive(peer, sent + 1)), sent + 1)
    succeeded(waiting)


def test_waiting_appender():
    """a write that appends waits for room as any other, also the second of two"""
    connection, peer = connected(room=200000)
    data = connection.open("data", os.O_WRONLY | os.O_APPEND)
    equal(os.write(data, b"first"), 5)
    os.set_blocking(data, False)
    sent = 5 + fill(connection, data)
    os.set_blocking(data, True)
    writer = Background(os.write, data, b"x")
    until(lambda: writer.error or is_inside(WRITE, os.getpid(), writer.id))
    equal(len(receive(peer, sent)), sent)
    equal(writer.result(), 1)
    equal(receive(peer, 1), b"x")


def test_many_readers():
    """of many readers, exactly one gets each byte, and each gets whole pieces of the stream"""
    connection, peer = connected()
    stream = random.Random(5).randbytes(1 << 20)
    readers = 4
    pids = []
    for reader in range(readers):

        def read():
            data = connection.open("data", os.O_RDONLY)
            with open(f"reader{reader}", "wb") as report:
                while piece := os.read(data, 1000 + 7919 * reader):
                    report.write(struct.pack("!I", len(piece)) + piece)

        pids.append(child(read))
    peer.sendall(stream)
    peer.shutdown(socket.SHUT_WR)
    pieces = []
    for reader, pid in enumerate(pids):
        succeeded(pid)
        with open(f"reader{reader}", "rb") as report:
            while length := report.read(4):
                pieces.append(report.read(*struct.unpack("!I", length)))
    equal(sum(map(len, pieces)), len(stream))
    # Put together again: the piece that the stream goes on with is always among those that are left.
    left = {}
    for piece in pieces:
        left.setdefault(piece[:1], []).append(piece)
    at = 0
    while at < len(stream):
        fitting = [piece for piece in left[stream[at : at + 1]] if stream.startswith(piece, at)]
        piece = max(fitting, key=len)
        left[piece[:1]].remove(piece)
        at += len(piece)


def test_many_writers():
    """writes of up to 64 KiB by many writers are not torn"""
    connection, peer = connected()
    writers, records = 4, 40

    def write(writer):
        sizes = random.Random(writer)
        data = connection.open("data", os.O_WRONLY)
        for record in range(records):
            size = sizes.choice([65536, 65536, 40000, 9])
            text = struct.pack("!IBI", size, writer, record) + bytes([writer]) * (size - 9)
            equal(os.write(data, text), size)

    pids = [child(lambda: write(writer)) for writer in range(writers)]
    seen = [0] * writers
    for _ in range(writers * records):
        size, writer, record = struct.unpack("!IBI", receive(peer, 9))
        assert writer < writers and 9 <= size <= 65536, (size, writer)
        equal(record, seen[writer])
        seen[writer] += 1
        equal(receive(peer, size - 9), bytes([writer]) * (size - 9))
    for pid in pids:
        succeeded(pid)


def test_nonblocking_writers():
    """nor are they torn where they may not block: such a write is taken whole or not at all"""
    connection, peer = connected(room=200000)
    data = connection.open("data", os.O_WRONLY | os.O_NONBLOCK)
    text = bytes(60000)
    records = 0
    try:
        while True:
            equal(os.write(data, text), len(text))
            records += 1
    except BlockingIOError:
        pass
    assert records > 0
    equal(len(receive(peer, records * len(text))), records * len(text))


def test_small_send_buffer():
    """a write larger than the send buffer goes through all the same, in parts"""
    connection, peer = connected()
    connection.write("sockopts/send_buffer_bytes", "2048")
    data = connection.open("data", os.O_WRONLY)
    count = os.write(data, bytes(65536))
    assert 0 < count < 65536, count
    equal(len(receive(peer, count)), count)


def test_both_ways():
    """reading and writing through one descriptor at the same time"""
    connection, peer = connected()
    data = connection.open("data")
    reader = Background(os.read, data, 100)
    until_inside(READ, os.getpid(), reader.id)
    os.write(data, b"ping")
    equal(receive(peer, 4), b"ping")
    peer.sendall(b"pong")
    equal(reader.result(), b"pong")


class Interrupted(Exception):
    pass


def interrupted(call, inside, begun=lambda: True):
    """A signal that comes while `call` waits ends it."""

    def handler(*_):
        raise Interrupted

    def program():
        signal.signal(signal.SIGUSR1, handler)
        try:
            call()
        except Interrupted:
            os._exit(77)

    pid = child(program)
    until_inside(inside, pid)
    until(begun)
    os.kill(pid, signal.SIGUSR1)
    _, status = os.waitpid(pid, 0)
    equal(os.waitstatus_to_exitcode(status), 77)


def test_signals():
    """a signal ends each call that waits, with EINTR, and what was not done stays undone"""
    connection, peer = connected(room=200000)
    listener, address = listening()
    for opened, file in ((connection, "data"), (connection, "peek"), (listener, "accept")):
        descriptor = opened.open(file, os.O_RDONLY)
        interrupted(lambda: os.read(descriptor, 1), READ)
    peer.sendall(b"kept")
    equal(os.read(connection.open("data"), 100), b"kept")
    caller = socket.create_connection(address)
    accepted = Connection(listener.read("accept"))
    equal(accepted.read("remote"), "%s:%d" % caller.getsockname())
    data = connection.open("data", os.O_WRONLY | os.O_NONBLOCK)
    fill(connection, data)
    os.set_blocking(data, True)
    interrupted(lambda: os.write(data, b"never"), WRITE)
    connection.write("shutdown", "wr")
    received = b""
    while piece := peer.recv(1 << 20):
        received += piece
    equal(b"never" in received, False)


def test_interrupted_connect():
    """a signal ends connect, while the attempt goes on, as with connect(2)"""
    with socket.socket() as silent:
        # Its queue is full, so that a further caller gets no answer.
        silent.bind((HOST, 0))
        silent.listen(0)
        address = silent.getsockname()
        first = socket.create_connection(address)
        connection = Connection()
        text = "%s:%d" % address
        begun = lambda: connection.read("connect") == "connecting"
        interrupted(lambda: connection.write("connect", text), WRITE, begun)
        equal(connection.read("connect"), "connecting")
        fails("EALREADY", connection.write, "connect", text)
        connection.write("ctl", "hangup")


def test_killed_reader():
    """a reader that is killed is gone, and takes nothing"""
    connection, peer = connected()
    for call in ("data", "peek"):
        pid = child(lambda: os.read(connection.open(call, os.O_RDONLY), 100))
        until_inside(READ, pid)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        equal(os.waitstatus_to_exitcode(status), -signal.SIGKILL)
    peer.sendall(b"untouched")
    equal(os.read(connection.open("data"), 100), b"untouched")


def test_flags():
    """open takes every flag that means something for a stream, and refuses the others"""
    connection, peer = connected()
    path = connection.path("data")
    for flags in (os.O_APPEND, os.O_TRUNC, os.O_CREAT, os.O_CLOEXEC, os.O_SYNC, os.O_NOCTTY):
        data = os.open(path, os.O_WRONLY | flags, 0o600)
        os.write(data, b"on")
        os.close(data)
        equal(receive(peer, 2), b"on")
    fails("EBADF", os.read, os.open(path, os.O_WRONLY), 1)
    fails("EBADF", os.write, os.open(path, os.O_RDONLY), b"x")
    fails("EEXIST", os.open, path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    fails("ENOTDIR", os.open, path, os.O_DIRECTORY)
    fails("ENOTDIR", os.open, f"{path}/more", os.O_RDONLY)
    fails("EACCES", os.open, connection.path("new"), os.O_CREAT | os.O_RDWR)
    fails("ENOTSUP", os.open, connection.path(""), os.O_TMPFILE | os.O_RDWR)
    fails("EISDIR", os.open, connection.path(""), os.O_WRONLY)
    fails("EACCES", os.open, connection.path("state"), os.O_WRONLY)
    fails("EACCES", os.open, connection.path("shutdown"), os.O_RDONLY)
    # O_PATH opens nothing.
    equal(os.fstat(os.open(path, os.O_PATH)).st_size > 0, True)


def test_positions():
    """a stream has no positions, cannot be mapped or preallocated, and its length cannot be set"""
    connection, peer = connected()
    data = connection.open("data")
    for whence in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END, os.SEEK_DATA, os.SEEK_HOLE):
        fails("ESPIPE", os.lseek, data, 0, whence)
    fails("ESPIPE", os.pread, data, 1, 0)
    fails("ESPIPE", os.pwrite, data, b"x", 0)
    fails("ENODEV", mmap.mmap, data, 4096, mmap.MAP_SHARED)
    fails("ENODEV", os.posix_fallocate, data, 0, 100)
    fails("ENODEV", os.posix_fallocate, connection.open("ctl"), 0, 8192)
    os.ftruncate(data, 0)
    os.fsync(data)
    fails("ENOTTY", os.tcgetpgrp, data)
    # Nothing of all this was a read or a write.
    peer.sendall(b"all")
    equal(os.read(data, 100), b"all")
    os.write(data, b"sent")
    equal(receive(peer, 4), b"sent")


def test_locks():
    """locks are the kernel's, and keep programs from each other as on any file"""
    connection, _ = connected()
    one, other = connection.open("data"), connection.open("data")
    fcntl.flock(one, fcntl.LOCK_EX)
    fails("EAGAIN", fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(connection.open("ctl"), fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_names():
    """nothing can be renamed, linked, made or removed among the files of a connection"""
    connection, _ = connected()
    data, other = connection.path("data"), connection.path("other")
    fails("EPERM", os.rename, data, other)
    fails("EPERM", os.rename, connection.path(""), "net/tcp/renamed")
    fails("EPERM", os.link, data, other)
    fails("EPERM", os.symlink, "data", other)
    fails("EPERM", os.unlink, data)
    fails("EPERM", os.mkdir, other)
    fails("EPERM", os.mkfifo, other)
    fails("EINVAL", os.readlink, data)
    fails("ENOTSUP", os.setxattr, data, "user.note", b"x")
    fails("ENOTSUP", os.getxattr, data, "user.note")
    fails("ENOTSUP", os.removexattr, data, "user.note")
    fails("ENOTSUP", os.listxattr, data)
    fails("EXDEV", os.rename, data, "elsewhere")


def test_odd_names():
    """a connection may have any name that is text; what is none is refused"""
    for name in (" ", "-rf", "new\nline", "tab\there", "\\", "'\"$(exit)", "*", "...", "ä\u0301漢🙂", "\x01\x7f", "x" * 255):
        connection = Connection(name)
        equal(name in os.listdir("net/tcp"), True)
        equal(connection.read("ctl"), name)
        equal(connection.read("state"), "CLOSED")
        os.rmdir(connection.path(""))
        equal(name in os.listdir("net/tcp"), False)
    for name, error in ((b"\xff", "EINVAL"), (b"a\xc3", "EINVAL"), (b"\xed\xa0\x80", "EINVAL"), (b"999999", "EINVAL")):
        fails(error, os.mkdir, b"net/tcp/" + name)
        fails("ENOENT", os.stat, b"net/tcp/" + name)
    fails("ENAMETOOLONG", os.mkdir, "net/tcp/" + "x" * 256)
    fails("ENAMETOOLONG", os.mkdir, "net/tcp/" + "ä" * 128)
    fails("ENOENT", os.mkdir, "net/tcp/no/where")


def test_splice():
    """splice and sendfile move bytes in and out"""
    connection, peer = connected()
    data = connection.open("data")
    source, sink = os.pipe()
    peer.sendall(b"through a pipe")
    equal(os.splice(data, sink, 100), 14)
    equal(os.read(source, 100), b"through a pipe")
    os.write(sink, b"and back")
    equal(os.splice(source, data, 8), 8)
    equal(receive(peer, 8), b"and back")
    with open("some file", "wb") as file:
        file.write(b"of a file")
    with open("some file", "rb") as file:
        equal(os.sendfile(data, file.fileno(), 0, 9), 9)
    equal(receive(peer, 9), b"of a file")


run(globals())
