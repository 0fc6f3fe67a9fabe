"""What programs that try the mount case by case have in common. They run where `net` is mounted, and print TAP."""

import errno
import os
import socket
import sys
import threading
import time
import traceback

HOST = "10.7.0.1"
STACK = "10.7.0.2"

# proc(5): the number of the system call that a thread is blocked in (asm/unistd_64.h; asm-generic/unistd.h).
IS_X86 = os.uname().machine == "x86_64"
READ, WRITE = (0, 1) if IS_X86 else (63, 64)

_names = iter(f"c{number}" for number in range(10**6))


class Connection:
    """A connection on the mount, and the files in its directory."""

    def __init__(self, name=None):
        self.name = name or next(_names)
        if not os.path.isdir(self.path("")):
            os.mkdir(self.path(""))

    def path(self, file):
        return f"net/tcp/{self.name}/{file}"

    def open(self, file, flags=os.O_RDWR):
        return os.open(self.path(file), flags)

    def write(self, file, text):
        """Writes `text` in one call."""
        descriptor = self.open(file, os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def read(self, file):
        with open(self.path(file)) as text:
            return text.read().rstrip("\n")


def connected(room=None):
    """A connection on the mount, and the socket of the host's at its other end. There are `room` bytes on either side."""
    with socket.socket() as server:
        connection = Connection()
        if room:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            connection.write("sockopts/send_buffer_bytes", str(room))
        server.bind((HOST, 0))
        server.listen()
        connection.write("connect", f"{HOST}:{server.getsockname()[1]}")
        peer, _ = server.accept()
    return connection, peer


def listening():
    """A listener on the mount, and its address."""
    listener = Connection()
    listener.write("listen", f"{STACK}:0")
    return listener, (STACK, int(listener.read("local").rpartition(":")[2]))


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r} is not {wanted!r}")


def name_of(error):
    return errno.errorcode[error.errno]


def fails(name, call, *arguments):
    """The call fails with this errno."""
    try:
        answer = call(*arguments)
    except OSError as error:
        equal(name_of(error), name)
    else:
        raise AssertionError(f"{answer!r} instead of {name}")


class Background:
    """A call in a thread of its own. It may never end."""

    def __init__(self, call, *arguments):
        self.answer = self.error = None
        self.started = threading.Event()

        def run():
            self.id = threading.get_native_id()
            self.started.set()
            try:
                self.answer = call(*arguments)
            except Exception as error:
                self.error = error

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        self.started.wait()

    def result(self):
        self.thread.join()
        if self.error:
            raise self.error
        return self.answer


def until(condition):
    """Nothing announces it, so it is looked at again and again. The deadline is the test's."""
    while not (answer := condition()):
        time.sleep(0.002)
    return answer


def is_inside(call, pid, thread=None):
    """Whether a process, or a thread of this one, waits in READ or WRITE."""
    with open(f"/proc/{pid}/task/{thread or pid}/syscall") as text:
        return text.read().split()[0] == str(call)


def until_inside(call, pid, thread=None):
    until(lambda: is_inside(call, pid, thread))


def child(program):
    """A process of its own, which runs `program` and ends."""
    pid = os.fork()
    if pid:
        return pid
    try:
        program()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def succeeded(pid):
    _, status = os.waitpid(pid, 0)
    equal(os.waitstatus_to_exitcode(status), 0)


def receive(peer, count):
    """As many bytes, or fewer at the end."""
    pieces = []
    while count > 0 and (piece := peer.recv(min(count, 1 << 16))):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def fill(connection, data):
    """Writes until nothing more can be written as long as the peer does not read, and gives how much that was."""
    total = 0

    def write(size):
        nonlocal total
        try:
            while True:
                total += os.write(data, bytes(size))
        except BlockingIOError:
            pass

    def is_shut():
        write(65536)
        return "SND.WND 0" in connection.read("status").splitlines()

    until(is_shut)
    # From now on nothing leaves, and nothing makes room.
    for size in (65536, 1024, 1):
        write(size)
    return total


def run(namespace):
    """Runs every function that begins with `test_`; its docstring says what it shows."""
    tests = [value for name, value in namespace.items() if name.startswith("test_")]
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {test.__doc__}", flush=True)
        except Exception:
            print(f"not ok {number} - {test.__doc__}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    sys.stdout.flush()
    # A thread that still waits is no reason to stay.
    os._exit(0)
