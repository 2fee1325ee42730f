"""One directory of the format: names, and the calls that read, write and sync (SPEC.md, 2).

Everything is opened relative to the directory's descriptor; no link is followed, and
opening never waits. Calls that are interrupted are repeated by Python itself (PEP 475),
but for close and rename, as it must be; remove() does it here.
"""
import contextlib
import errno
import fcntl
import itertools
import os
import re
import stat
import struct

from document import Error, U64, crc32c

CURRENT = "MANIFEST-CURRENT"
LOCK = "MANIFEST-LOCK"
SLOTS = ("MANIFEST-SLOT-A", "MANIFEST-SLOT-B")
REMOVED, DAMAGED = ".removed", ".damaged"
CHUNK = 1 << 16  # bytes read at once

_NUMBERED = re.compile(r"(MANIFEST-|MANIFEST-BACKUP-)([0-9]{6,20})(|\.removed|\.damaged|\.part)")


def manifest_name(version):
    return f"MANIFEST-{version:06}"


def removed_name(version):
    return manifest_name(version) + REMOVED


def link_name(version):
    return f"MANIFEST-BACKUP-{version:06}"


def version_of(name, prefix="MANIFEST-", suffix=""):
    """The number that a name spells between these, or None."""
    match = _NUMBERED.fullmatch(name)
    if not match or match[1] != prefix or match[3] != suffix:
        return None
    version = int(match[2])
    return version if f"{version:06}" == match[2] and version <= U64 else None


def is_temporary(name):
    return name.startswith("MANIFEST-") and name.endswith(".tmp")


class SyncFailed(OSError):
    """A sync that failed; it says nothing to try it again."""


class Directory:
    """An open directory. Functions raise OSError, or Error CORRUPT for what is no file."""

    def __init__(self, path, dir_fd=None):
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)

    def close(self):
        close(self.fd)

    def names(self):
        """The names of all entries; bytes that are no UTF-8 become lone surrogates."""
        return {os.fsencode(name).decode("utf-8", "surrogateescape")
                for name in os.listdir(self.fd)}

    def numbers(self):
        """All k of MANIFEST-k, with any suffix."""
        return {*self.versions(), *self.versions(REMOVED), *self.versions(DAMAGED)}

    def versions(self, suffix=""):
        """The numbers k of all MANIFEST-k with that suffix, ascending."""
        found = (version_of(name, suffix=suffix) for name in self.names())
        return sorted(version for version in found if version is not None)

    # ---- Reading ----

    def open(self, name, flags=os.O_RDONLY):
        """A descriptor of a regular file."""
        try:
            fd = os.open(_bytes(name), flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666,
                         dir_fd=self.fd)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                raise Error("CORRUPT", f"{name}: no regular file") from None
            raise
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            close(fd)
            raise Error("CORRUPT", f"{name}: no regular file")
        return fd

    def read(self, name):
        """All bytes of a file."""
        fd = self.open(name)
        try:
            return b"".join(chunks(fd))
        finally:
            close(fd)

    def read_if_there(self, name):
        """The same, or None if there is no such name."""
        try:
            return self.read(name)
        except FileNotFoundError:
            return None

    def measure(self, name, sync=False):
        """Size and CRC32C of a file; sync: also makes it durable."""
        fd = self.open(name)
        try:
            size = crc = 0
            for chunk in chunks(fd):
                size, crc = size + len(chunk), crc32c(chunk, crc)
            if sync:
                sync_fd(fd)
            return size, crc
        finally:
            close(fd)

    def verify(self, name, record):
        """Raises CORRUPT unless it is a regular file of that size and CRC32C (record None: any)."""
        try:
            if record is None:
                close(self.open(name))
            elif self.measure(name) != record:
                raise Error("CORRUPT", f"{name}: not the recorded size and CRC32C")
        except FileNotFoundError:
            raise Error("CORRUPT", f"{name}: missing") from None

    def is_file(self, name):
        """Whether there is a regular file of that name."""
        try:
            return stat.S_ISREG(os.lstat(_bytes(name), dir_fd=self.fd).st_mode)
        except FileNotFoundError:
            return False

    def is_directory(self, name):
        try:
            return stat.S_ISDIR(os.lstat(_bytes(name), dir_fd=self.fd).st_mode)
        except FileNotFoundError:
            return False

    # ---- Writing ----

    def sync(self):
        sync_fd(self.fd)

    def create(self, name):
        """A descriptor of a new, empty file; FileExistsError if the name is taken."""
        return self.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    def write_new(self, name, data):
        """A new file with these bytes, synced; none if that fails."""
        self._fill(name, self.create(name), data)

    def _fill(self, name, fd, data, keep_open=False):
        try:
            write_all(fd, data)
            sync_fd(fd)
        except OSError:
            keep_open = False
            self.discard(name)
            raise
        finally:
            if not keep_open:
                close(fd)

    def write_in_place(self, name, data, flags=0):
        """Writes over the first bytes of a file, and syncs it."""
        fd = self.open(name, os.O_RDWR | flags)
        try:
            write_all(fd, data)
            sync_fd(fd)
        finally:
            close(fd)

    def write_temporary(self, data):
        """Name and open descriptor of a new temporary with these bytes, synced."""
        name, fd = self.create_temporary()
        self._fill(name, fd, data, keep_open=True)
        return name, fd

    def create_temporary(self):
        """Name and descriptor of a new, empty temporary."""
        for i in itertools.count():
            name = f"{CURRENT}.{i}.tmp"
            try:
                return name, self.create(name)
            except FileExistsError:
                self.remove(name)  # a leftover; its name is not used

    def rename(self, name, to):
        os.rename(_bytes(name), _bytes(to), src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def remove(self, name):
        """Removes a name; that it is gone already is a success."""
        while True:
            try:
                return os.unlink(_bytes(name), dir_fd=self.fd)
            except FileNotFoundError:
                return None
            except InterruptedError:
                continue

    def discard(self, name):
        """Removes what a step that has failed leaves; the failure is what counts."""
        with contextlib.suppress(OSError):
            self.remove(name)

    def publish(self, name, data):
        """Steps 4 to 8 of a commit: name holds these bytes, durably, or what it held before.

        Raises Unknown when a cut may leave either; with any other error name is unchanged.
        """
        temporary, fd = self.write_temporary(data)
        try:
            try:
                self.sync()
                self.rename(temporary, name)
            except OSError as error:
                if not isinstance(error, SyncFailed) and error.errno not in RENAME_UNDONE:
                    raise Unknown(error.errno, f"rename to {name}: {error}") from error
                self.discard(temporary)
                raise
            try:
                sync_fd(fd)
                self.sync()
            except OSError as error:
                raise Unknown(error.errno, f"{name}: {error}") from error
        finally:
            close(fd)

    # ---- The lock ----

    def lock(self):
        """Locks out other writers until the descriptor that is returned is closed."""
        try:
            fd = self.open(LOCK, os.O_RDWR | os.O_CREAT)
        except Error as error:
            raise Error("IO", str(error)) from None
        # struct flock: l_type, l_whence, l_start, l_len, l_pid; length 0 is the whole file.
        whole = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, whole)
        except OSError as error:
            close(fd)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise Error("LOCKED", "another writer holds the lock") from None
            raise
        return fd


class Unknown(OSError):
    """A cut may leave the old or the new state."""


# A rename that failed with one of these has not been done.
RENAME_UNDONE = (errno.EACCES, errno.ENOENT, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EXDEV)


def _bytes(name):
    return name.encode("utf-8", "surrogateescape")


def chunks(fd):
    """The bytes of a file from where it stands, piece by piece."""
    return iter(lambda: os.read(fd, CHUNK), b"")


def close(fd):
    """Closes a descriptor. What was to be durable has been synced: an error says nothing more."""
    with contextlib.suppress(OSError):
        os.close(fd)


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def sync_fd(fd):
    try:
        os.fsync(fd)
    except OSError as error:
        raise SyncFailed(error.errno, f"sync: {error.strerror}") from error


def make(path):
    """Opens a directory, makes it if it is missing, and syncs it and its parent."""
    try:
        os.mkdir(path)
    except FileExistsError:
        pass
    directory = Directory(path)
    directory.sync()
    parent = Directory("..", directory.fd)
    parent.sync()
    parent.close()
    return directory
