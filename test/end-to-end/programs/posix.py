"""Each call is made twice: on the tree, and on a tmpfs with the same directories, files, owners and modes. Both fail alike."""

import ctypes
import os
import stat
import subprocess

from cases import *

TREE, TWIN = "net", "twin"
USER = 1000

# linux/sched.h
CLONE_NEWNS = 0x00020000

LIBC = ctypes.CDLL(None, use_errno=True)

# linux/limits.h
LONG = "x" * 255
TOO_LONG = "x" * 256
TOO_LONG_PATH = "x/" * 2048

# A connection of root's, one of the user's, and files of either.
MINE, THEIRS = "tcp/mine", "tcp/theirs"
DIRECTORIES = ["", "tcp", MINE, THEIRS, f"{MINE}/sockopts"]
FILES = ["README", "tcp/clone", f"{MINE}/data", f"{MINE}/state", f"{THEIRS}/data", f"{MINE}/sockopts/ttl"]
MISSING = ["none", "tcp/none", f"{MINE}/none", f"{MINE}/sockopts/none", "dial", "tcp/none/none"]


def plant():
    """Makes the connections, and the twin of everything."""
    for path in (MINE, THEIRS):
        os.mkdir(f"{TREE}/{path}")
        os.chmod(f"{TREE}/{path}", 0o664)
    os.chown(f"{TREE}/{THEIRS}", USER, USER)
    os.chmod(".", 0o755)
    os.mkdir(TWIN)
    # Nobody else sees the twin, and nobody need unmount it.
    raw("unshare", CLONE_NEWNS)
    subprocess.run(["mount", "-t", "tmpfs", "twin", TWIN], check=True)
    for directory, _, files in os.walk(TREE):
        twin = TWIN + directory[len(TREE) :]
        os.makedirs(twin, exist_ok=True)
        for name in files:
            os.mknod(f"{twin}/{name}", stat.S_IFREG | 0o600)
            liken(f"{directory}/{name}", f"{twin}/{name}")
        liken(directory, twin)


def liken(original, twin):
    status = os.stat(original)
    os.chown(twin, status.st_uid, status.st_gid)
    os.chmod(twin, stat.S_IMODE(status.st_mode))


def outcome(call, root):
    """What a call with the paths of one of the two trees comes to."""
    try:
        answer = call(lambda path: os.path.join(root, path))
    except OSError as error:
        return name_of(error)
    if isinstance(answer, int) and answer > 2:
        os.close(answer)
        return "a descriptor"
    return answer


def alike(calls, as_root=None):
    """Each call of `calls` comes to the same on both, whoever makes it. As root those of `as_root` are made instead."""

    def compare(calls):
        for what, call in calls.items():
            on_tree, on_twin = outcome(call, TREE), outcome(call, TWIN)
            if on_tree != on_twin:
                raise AssertionError(f"{what} by {os.getuid()}: {on_tree!r}, and {on_twin!r} on a tmpfs")

    def compare_as_user():
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
        compare(calls)

    compare(calls if as_root is None else as_root)
    succeeded(child(compare_as_user))


def each(paths, **calls):
    """A call for every path."""

    def bind(call, path):
        return lambda at: call(at(path))

    return {f"{name} {path[:40]!r}": bind(call, path) for path in paths for name, call in calls.items()}


def raw(call, *arguments):
    """A call of the C library's which Python would change, or refuse by itself."""
    ctypes.set_errno(0)
    if getattr(LIBC, call)(*arguments) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def test_names():
    """what is not there, what is no directory, and names that are too long"""
    behind_files = [f"{path}/more" for path in FILES] + [f"{path}/" for path in FILES]
    long = [LONG, f"tcp/{LONG}", TOO_LONG, f"tcp/{TOO_LONG}", f"{MINE}/{TOO_LONG}", f"tcp/{TOO_LONG}/more", TOO_LONG_PATH]
    alike(
        each(
            [path for path in MISSING if path != "dial"] + behind_files + long,
            stat=lambda path: os.stat(path).st_size,
            open=lambda path: os.open(path, os.O_RDONLY),
            access=lambda path: raw("access", path.encode(), os.F_OK),
            chmod=lambda path: os.chmod(path, 0o600),
            chown=lambda path: os.chown(path, 0, 0),
            truncate=lambda path: os.truncate(path, 0),
            utime=os.utime,
            readlink=os.readlink,
            opendir=os.listdir,
            rmdir=os.rmdir,
            unlink=os.unlink,
            chdir=os.chdir,
            getxattr=lambda path: os.getxattr(path, "user.none"),
        )
        | each([f"tcp/{TOO_LONG}", "tcp/none/none"], mkdir=os.mkdir)
    )


def test_kinds():
    """a directory is no file and a file is no directory"""
    alike(
        each(
            DIRECTORIES + ["dial"],
            write=lambda path: os.open(path, os.O_WRONLY),
            both=lambda path: os.open(path, os.O_RDWR),
            truncate=lambda path: os.truncate(path, 0),
            unlink=os.unlink,
            readlink=os.readlink,
            read=lambda path: os.read(os.open(path, os.O_RDONLY), 10),
            create=lambda path: os.open(path, os.O_WRONLY | os.O_CREAT, 0o600),
        )
        | each(
            FILES,
            directory=lambda path: os.open(path, os.O_RDONLY | os.O_DIRECTORY),
            opendir=os.listdir,
            rmdir=os.rmdir,
            readlink=os.readlink,
            chdir=os.chdir,
        )
    )


def test_what_is_there():
    """what is there already is not made again"""
    there = DIRECTORIES[1:] + FILES
    alike(
        each(
            there,
            mkdir=os.mkdir,
            mkfifo=os.mkfifo,
            mknod=lambda path: os.mknod(path, stat.S_IFREG | 0o600),
            symlink=lambda path: os.symlink("elsewhere", path),
            exclusive=lambda path: os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600),
        )
        | each(DIRECTORIES, link=lambda path: os.link(path, f"{path}/none"))
    )


def test_dots():
    """the names with a meaning of their own"""
    alike(
        each(
            [".", "..", "tcp/.", "tcp/..", f"{MINE}/.", f"{MINE}/..", "", "tcp/./mine/../mine/."],
            mkdir=os.mkdir,
            stat=lambda path: stat.S_ISDIR(os.stat(path).st_mode),
            open=lambda path: os.open(path, os.O_RDONLY),
        )
        | each([f"{MINE}/.", "tcp/.", f"{MINE}/sockopts/."], rmdir=os.rmdir, unlink=os.unlink)
    )


def test_renaming():
    """what no file system renames"""

    def rename(source, target):
        return lambda at: os.rename(at(source), at(target))

    pairs = [
        (MINE, f"{MINE}/inside"),
        ("tcp", f"{MINE}/sockopts/inside"),
        ("none", "tcp/new"),
        ("tcp/none", "tcp/new"),
        (f"{MINE}/none", f"{MINE}/state"),
        (f"{MINE}/data/none", "tcp/new"),
        (f"{MINE}/data", "tcp/none/new"),
        (f"tcp/{TOO_LONG}", "tcp/new"),
        (MINE, f"tcp/{TOO_LONG}"),
        (f"{MINE}/.", "tcp/new"),
        ("tcp/..", "tcp/new"),
        (MINE, MINE),
        (f"{MINE}/data", f"{MINE}/data"),
        (f"{MINE}/", f"{MINE}/data/"),
    ]
    alike({f"rename {source} {target[:40]}": rename(source, target) for source, target in pairs})
    alike(
        {
            "rename to another file system": lambda at: os.rename(at(f"{MINE}/data"), "elsewhere"),
            "link to another file system": lambda at: os.link(at(f"{MINE}/data"), "elsewhere"),
        }
    )


def test_owners():
    """what is not the caller's is not the caller's to change"""
    alike(
        each(
            [path for path in DIRECTORIES + FILES if path.startswith(MINE)],
            chmod=lambda path: os.chmod(path, 0o666),
            chown=lambda path: os.chown(path, USER, USER),
            chgrp=lambda path: os.chown(path, -1, USER),
            utime=lambda path: os.utime(path, (0, 0)),
        )
        | each(
            [THEIRS, f"{THEIRS}/data"],
            give_away=lambda path: os.chown(path, USER + 1, -1),
            give_group_away=lambda path: os.chown(path, -1, USER + 1),
        )
        | each(
            DIRECTORIES + FILES,
            read=lambda path: raw("access", path.encode(), os.R_OK),
            write=lambda path: raw("access", path.encode(), os.W_OK),
            execute=lambda path: raw("access", path.encode(), os.X_OK),
            open_to_write=lambda path: os.open(path, os.O_WRONLY),
            truncate=lambda path: os.truncate(path, 0),
        )
        | each([MINE], rmdir=os.rmdir),
        as_root={},
    )


def test_arguments():
    """arguments that mean nothing"""
    data = f"{MINE}/data"
    alike(
        {
            "truncate to less than nothing": lambda at: raw("truncate", at(data).encode(), ctypes.c_long(-1)),
            "access of an unknown kind": lambda at: raw("access", at(data).encode(), 8),
            "a path at a bad address": lambda at: raw("chdir", ctypes.c_void_p(1)),
            "an empty path": lambda at: os.stat(""),
            "an owner and no such flag": lambda at: raw("fchownat", -100, at(data).encode(), 0, 0, 0x40000000),
        }
    )


plant()
run(globals())
