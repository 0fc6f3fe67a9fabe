"""Programs that do the same thing at the same time."""

import os
import socket

from cases import *


def together(programs):
    """Runs them as processes that begin at the same moment, and gives what each has printed."""
    gate, opener = os.pipe()
    reports = []
    for program in programs:
        source, sink = os.pipe()

        def begin():
            os.close(opener)
            os.read(gate, 1)
            os.write(sink, repr(program()).encode())

        reports.append((child(begin), source))
        os.close(sink)
    os.close(opener)
    os.close(gate)
    answers = []
    for pid, source in reports:
        with open(source, "rb") as report:
            answers.append(eval(report.read() or b"None"))
        succeeded(pid)
    return answers


def tries(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return name_of(error)
    return "done"


def test_mkdir_and_rmdir():
    """of two that make or remove the same name, one does"""
    rounds = 300

    def program():
        return [(tries(os.mkdir, "net/tcp/one"), tries(os.rmdir, "net/tcp/one")) for _ in range(rounds)]

    answers = [answer for answers in together([program, program]) for answer in answers]
    made = sum(first == "done" for first, _ in answers)
    removed = sum(second == "done" for _, second in answers)
    equal({first for first, _ in answers} <= {"done", "EEXIST"}, True)
    equal({second for _, second in answers} <= {"done", "ENOENT"}, True)
    equal(made, removed + os.path.exists("net/tcp/one"))


def test_clone():
    """each clone is another connection"""

    def program():
        numbers = []
        for _ in range(100):
            ctl = os.open("net/tcp/clone", os.O_RDWR)
            numbers.append(os.read(ctl, 100))
            os.close(ctl)
        return numbers

    numbers = [number for numbers in together([program] * 3) for number in numbers]
    equal(len(set(numbers)), len(numbers))
    for number in numbers:
        os.rmdir(f"net/tcp/{number.decode().strip()}")


def test_connect():
    """of two that connect the same connection, one does"""
    with socket.create_server((HOST, 0), backlog=100) as server:
        text = "%s:%d" % server.getsockname()
        for _ in range(20):
            connection = Connection()
            answers = sorted(together([lambda: tries(connection.write, "connect", text)] * 2))
            equal(answers[1], "done")
            equal(answers[0] in ("EALREADY", "EISCONN"), True)
            server.accept()[0].close()


def test_bind():
    """of many that want the same port, one gets it"""
    for port in range(7000, 7010):
        connections = [Connection() for _ in range(4)]
        answers = together([lambda one=one: tries(one.write, "listen", f":{port}") for one in connections])
        equal(sorted(answers), ["EADDRINUSE"] * 3 + ["done"])
        for connection in connections:
            os.rmdir(connection.path(""))


def test_accept():
    """each caller is accepted by exactly one of many that wait"""
    listener, address = listening()
    callers, acceptors = 60, 4

    def program():
        return [listener.read("accept") for _ in range(callers // acceptors)]

    sockets = []

    def call():
        for _ in range(callers):
            sockets.append(socket.create_connection(address))

    calling = Background(call)
    names = [name for names in together([program] * acceptors) for name in names]
    calling.result()
    equal(len(set(names)), callers)
    remotes = {Connection(name).read("remote") for name in names}
    equal(remotes, {"%s:%d" % caller.getsockname() for caller in sockets})


def test_close_under_use():
    """whoever reads or writes while somebody closes is let go, with the end, EPIPE or ESTALE"""

    def reader(connection):
        try:
            with open(connection.path("data"), "rb", 0) as data:
                while data.read(4096):
                    pass
            return "end"
        except OSError as error:
            return name_of(error)

    def writer(connection):
        try:
            with open(connection.path("data"), "wb", 0) as data:
                while True:
                    data.write(bytes(4096))
        except OSError as error:
            return name_of(error)

    for how in (
        lambda connection: os.rmdir(connection.path("")),
        lambda connection: connection.write("ctl", "close"),
        lambda connection: connection.write("ctl", "hangup"),
    ):
        for _ in range(5):
            connection, peer = connected()
            answers = together([lambda: reader(connection), lambda: writer(connection), lambda: how(connection)])
            equal(answers[0] in ("end", "ESTALE", "ENOENT", "ECONNRESET"), True)
            equal(answers[1] in ("EPIPE", "ESTALE", "ENOENT", "ECONNRESET"), True)
            peer.close()


def test_readdir():
    """what is there all the time is listed exactly once, while others come and go"""
    lasting = {f"lasting-{number:03}-{'x' * 200}" for number in range(400)}
    for name in lasting:
        os.mkdir(f"net/tcp/{name}")

    def come_and_go():
        for round in range(150):
            names = [f"net/tcp/short-{os.getpid()}-{round}-{number}" for number in range(4)]
            for name in names:
                os.mkdir(name)
            for name in names:
                os.rmdir(name)

    pids = [child(come_and_go) for _ in range(2)]
    listings = 0
    ended = []
    while len(ended) < len(pids):
        names = os.listdir("net/tcp")
        equal(len(names), len(set(names)))
        equal(lasting - set(names), set())
        # scandir asks for what stat says of each; one that is gone by then is no error of the listing.
        with os.scandir("net/tcp") as entries:
            for entry in entries:
                entry.is_dir()
        listings += 1
        for pid in set(pids) - set(ended):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                equal(status, 0)
                ended.append(pid)
    assert listings > 1, listings
    for name in lasting:
        os.rmdir(f"net/tcp/{name}")
    equal([name for name in os.listdir("net/tcp") if name.startswith(("lasting", "short"))], [])


run(globals())
