"""A database: opening, its recovery, and the commit (SPEC.md, sections 4 to 6).

    database = Database.open(path)              # for reading: takes no lock
    database = Database.open(path, write=True)  # recovers, publishes what it found
    database.commit({("lsm", ""): b"rows"})
    database.close()

Everything that fails raises Error with a code of section 7.
"""
import contextlib
import os
import re
import struct
import time

import document
from directory import (CURRENT, LOCK, SLOTS, Directory, SyncFailed, Unknown, close, is_temporary,
                       make, manifest_name, removed_name, sync_fd, version_of, write_all)
from document import Error, Manifest, U64, crc32c

RENAME, SLOTTED = "rename", "slots"
clock = time.time  # seconds since 1970
RECORD_SIZE = 512
_MAGIC = b"MFSLOT1\0"
_RECORD = struct.Struct("<8sQQQI472x")  # with the CRC32C behind it


# ---- Slots ----


class Record:
    """What a slot holds: the sequence, and which manifest is the current one."""

    def __init__(self, sequence, version=0, length=0, crc=0):
        self.sequence, self.version, self.length, self.crc = sequence, version, length, crc

    @classmethod
    def of(cls, sequence, version, text):
        return cls(sequence, version, len(text), crc32c(text))

    @classmethod
    def read(cls, data):
        """The record in these bytes; None if they hold none that is valid."""
        if len(data) < RECORD_SIZE:
            return None
        record = cls(*_RECORD.unpack(data[:RECORD_SIZE - 4])[1:])
        if record.bytes() != data[:RECORD_SIZE]:  # magic, zeros and CRC32C, too
            return None
        numbers = (record.sequence, record.version, record.length)
        return record if all(numbers) or not any((*numbers, record.crc)) else None

    def bytes(self):
        head = _RECORD.pack(_MAGIC, self.sequence, self.version, self.length, self.crc)
        return head + crc32c(head).to_bytes(4, "little")

    def contradicts(self, other):
        low, high = sorted((self, other), key=lambda record: record.sequence)
        if high.sequence == 0:
            return False
        return low.sequence > 0 and (
            low.sequence == high.sequence or low.version > high.version
            or low.version == high.version and (low.length, low.crc) != (high.length, high.crc))


# ---- What opening finds ----


class Found:
    """The current version: its text and manifest, and how it was found."""

    def __init__(self, point, version, text, manifest, copy_missing=False, winner=None, slots=None):
        self.point, self.version, self.text, self.manifest = point, version, text, manifest
        self.copy_missing = copy_missing
        self.winner = winner  # the name of the winner's slot
        self.slots = slots  # slot name -> Record, or None if it is missing or not valid

    @property
    def other(self):
        """The name of the slot that is not the winner."""
        return SLOTS[self.winner == SLOTS[0]]

    @property
    def fell_back(self):
        return self.slots is not None and self.slots[self.other] is None


def corrupt(message):
    return Error("CORRUPT", message)


def parse(name, text, unsealed, version=None):
    """The manifest in a file of the database, which must say that version, if one is given."""
    try:
        manifest = document.parse(text, unsealed)
    except Error as error:
        raise corrupt(f"{name}: {error}") from None
    if version is not None and manifest.version != version:
        raise corrupt(f"{name}: says version {manifest.version}")
    return manifest


def verify_files(directory, manifest):
    for name, record in manifest.files().items():
        directory.verify(name, record)


def inspect(directory, unsealed=False, files=True):
    """What is in a directory; NO_DATABASE or CORRUPT is raised. files: verifies them, too."""
    names = directory.names()
    if names.isdisjoint(SLOTS):
        found = _inspect_current(directory, names, unsealed)
    else:
        found = _inspect_slots(directory, names, unsealed)
    if files:
        verify_files(directory, found.manifest)
    return found


LOOKS = 16  # how often a reader looks, at most


def look(directory, unsealed=False, files=True):
    """The same, without the lock: a version that a writer replaced meanwhile says nothing."""
    for _ in range(LOOKS):
        before, failure, found = _stamp(directory), None, None
        try:
            found = inspect(directory, unsealed, files)
        except Error as error:
            failure = error
        sound = found and not found.copy_missing and not found.fell_back
        if sound or _stamp(directory) == before:
            break
    else:
        if failure:
            raise Error("LOCKED", "a writer replaces the version faster than it can be read")
    if failure:
        raise failure
    return found


def _stamp(directory):
    """What says which version is current."""
    return [_bytes_if_file(directory, name) for name in (CURRENT, *SLOTS)]


def _bytes_if_file(directory, name):
    try:
        return directory.read_if_there(name)
    except Error as error:
        return str(error)


def _no_database(names, allowed):
    """The error for a directory without a current version: are there signs of one that was?"""
    for name in sorted(names):
        if name.startswith("MANIFEST-") and not is_temporary(name) and name not in allowed:
            return corrupt(f"there is no current version, but {name}")
    return Error("NO_DATABASE", "no database here")


def _inspect_current(directory, names, unsealed):
    if CURRENT not in names:
        raise _no_database(names, (LOCK, manifest_name(1)))
    text = directory.read(CURRENT)
    manifest = parse(CURRENT, text, unsealed)
    copy = directory.read_if_there(manifest_name(manifest.version))
    if copy is not None and copy != text:
        raise corrupt(f"{manifest_name(manifest.version)} differs from {CURRENT}")
    return Found(RENAME, manifest.version, text, manifest, copy_missing=copy is None)


def read_slots(directory):
    """The Record of each slot, or None where it is missing or not valid."""
    texts = {slot: directory.read_if_there(slot) for slot in SLOTS}
    return {slot: None if text is None else Record.read(text) for slot, text in texts.items()}


def _inspect_slots(directory, names, unsealed):
    if CURRENT in names:
        raise corrupt(f"both slots and {CURRENT}")
    slots = read_slots(directory)
    valid = {slot: record for slot, record in slots.items() if record}
    if len(valid) == 2 and Record.contradicts(*valid.values()):
        raise corrupt("the slots contradict each other")
    winner = max(valid, key=lambda slot: valid[slot].sequence, default=None)
    if winner is None or valid[winner].sequence == 0:
        raise _no_database(names, (LOCK, *SLOTS) + ((manifest_name(1),) if valid else ()))
    record = valid[winner]
    name = manifest_name(record.version)
    text = directory.read_if_there(name)
    if text is None or (len(text), crc32c(text)) != (record.length, record.crc):
        raise corrupt(f"{name} is not what {winner} records")
    manifest = parse(name, text, unsealed, record.version)
    return Found(SLOTTED, record.version, text, manifest, winner=winner, slots=slots)


# ---- The database ----


@contextlib.contextmanager
def failing_as(code="IO"):
    """Calls of the system that fail inside are raised as an Error of that code."""
    try:
        yield
    except OSError as error:
        raise Error(code, str(error)) from error


class Database:
    """An open database. found is its current version, opened what the opening found."""

    def __init__(self, directory, found, unsealed, lock=None):
        self.directory, self.found, self.unsealed, self.lock = directory, found, unsealed, lock
        self.opened = found
        self.broken = None  # why this handle takes no commit any more
        self.highest = 0  # the highest number that was ever given away

    @classmethod
    def open(cls, path, write=False, unsealed=False):
        with failing_as():
            try:
                directory = Directory(path)
            except FileNotFoundError:
                raise Error("NO_DATABASE", f"{path} is missing") from None
            try:
                if not write:
                    return cls(directory, look(directory, unsealed), unsealed)
                return cls._open_for_writing(directory, unsealed)
            except (Error, OSError):
                directory.close()
                raise

    @classmethod
    def _open_for_writing(cls, directory, unsealed):
        look(directory, unsealed, files=False)  # no lock where there is no database
        lock = directory.lock()
        try:
            database = cls(directory, inspect(directory, unsealed), unsealed, lock)
            database._publish_again()
            return database
        except (Error, OSError):
            close(lock)
            raise

    def close(self):
        if self.lock is not None:
            close(self.lock)
        self.directory.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def writable(self):
        """Raises unless this handle may write."""
        if self.lock is None or self.broken:
            raise Error("READ_ONLY", self.broken or "opened for reading")

    @contextlib.contextmanager
    def writing(self):
        """What a removal or a backup does: its failures leave the current version as it is."""
        self.writable()
        with failing_as():
            try:
                yield
            except (SyncFailed, Unknown) as error:
                self.broken = str(error)
                raise

    # ---- Opening for writing, steps 4 and 5 ----

    def _publish_again(self):
        found = self.found
        if found.point == SLOTTED:
            return self._publish_slots_again()
        self.directory.sync()
        if found.copy_missing:
            self.directory.publish(manifest_name(found.version), found.text)
        return self.directory.publish(CURRENT, found.text)

    def _publish_slots_again(self):
        found = self.found
        winner = found.slots[found.winner]
        self.directory.write_in_place(found.winner, winner.bytes())
        if not found.fell_back or winner.sequence == U64:
            return
        again = Record(winner.sequence + 1, winner.version, winner.length, winner.crc)
        new = found.other not in self.directory.names()
        self.directory.write_in_place(found.other, again.bytes(), os.O_CREAT)
        if new:
            self.directory.sync()
        self.found = Found(SLOTTED, found.version, found.text, found.manifest, winner=found.other,
                           slots={found.winner: winner, found.other: again})

    # ---- Commit ----

    def commit(self, changes, base=None, at_least=0, tidy=True):
        """Commits the version before, with changes; returns the new number.

        changes: (kind, key) -> bytes of the file, or None to drop it. base: a manifest to
        take in place of the version before. at_least: the number must not be lower. tidy:
        removes leftovers first.
        """
        self.writable()
        for kind, key in changes:
            if kind not in document.KINDS or kind == "lsm" and key:
                raise Error("INVALID", f"no such kind and key: {kind} {key!r}")
        number, now = self._choose(at_least), int(clock())
        if now < 0:
            raise Error("INVALID", "the clock is before 1970")
        created = []
        try:
            if tidy:
                self._remove_leftovers()
            manifest = self._write_files(number, now, changes, base or self.found.manifest, created)
            text = manifest.text()
            self._create(manifest_name(number), text, created)
            self._switch(number, text, manifest)
        except Unknown as error:
            self.broken = f"the outcome of a commit is not known: {error}"
            raise Error("UNKNOWN", str(error)) from error
        except (Error, OSError) as error:
            if isinstance(error, SyncFailed):
                self.broken = str(error)
            self._take_back(created)
            raise Error("NOT_COMMITTED", str(error)) from error
        return number

    def _choose(self, at_least=0):
        """Step 1."""
        with failing_as("NOT_COMMITTED"):
            self.highest = max(self.highest, self.found.version, *self.directory.numbers())
        if self.highest == U64:
            raise Error("INVALID", "there is no higher version number")
        self.highest = max(self.highest + 1, at_least)
        return self.highest

    def _remove_leftovers(self):
        for name in self.directory.names():
            version = version_of(name)
            newer = version is not None and version > self.found.version
            if (newer or is_temporary(name)) and not self.directory.is_directory(name):
                self.directory.remove(name)
        hiding = removed_name(self.found.version)
        if self.found.point == SLOTTED and self.directory.is_file(hiding):
            self.directory.remove(hiding)

    def _create(self, name, data, created):
        self.directory.write_new(name, data)
        created.append(name)

    def _write_files(self, number, now, changes, base, created):
        """Step 2: writes the new files; returns the manifest."""
        names, records = dict(base.names), base.records
        if records is None:  # unsealed: they get their records now
            records = {name: self.directory.measure(name, sync=True) for name in base.files()}
        records = dict(records)
        for (kind, key), data in changes.items():
            names.pop((kind, key), None)
            if data is not None:
                name = self._free_name(kind, key, number)
                self._create(name, data, created)
                names[kind, key], records[name] = name, (len(data), crc32c(data))
        return Manifest(number, now, names, records)

    def _free_name(self, kind, key, number):
        safe = re.sub(rb"[^A-Za-z0-9-]", b"_", key.encode()[:64]).decode()
        name = f"{kind}-{safe}-{number:06}" if key else f"{kind}-{number:06}"
        taken, i, free = self.directory.names(), 0, name
        while free in taken:
            i += 1
            free = f"{name}-{i}"
        return free

    def _switch(self, number, text, manifest):
        """The commit point, steps 4 to 8."""
        found = self.found
        if found.point == RENAME:
            self.directory.publish(CURRENT, text)
            self.found = Found(RENAME, number, text, manifest)
            return
        winner = found.slots[found.winner]
        if winner.sequence == U64:
            raise Error("NOT_COMMITTED", "there is no higher sequence")
        record = Record.of(winner.sequence + 1, number, text)
        self.directory.sync()
        new = found.other not in self.directory.names()  # in recovery by hand only
        fd = self.directory.open(found.other, os.O_RDWR | os.O_CREAT)
        try:
            write_all(fd, record.bytes())
            sync_fd(fd)
            if new:
                self.directory.sync()
        except OSError as error:
            raise Unknown(error.errno, f"{found.other}: {error}") from error
        finally:
            close(fd)
        self.found = Found(SLOTTED, number, text, manifest, winner=found.other,
                           slots={found.winner: winner, found.other: record})

    def _take_back(self, created):
        for name in created:
            self.directory.discard(name)


# ---- Init ----


def init(path, point=RENAME):
    """Creates a database, and returns it, opened for writing."""
    if point not in (RENAME, SLOTTED):
        raise Error("INVALID", f"no such commit point: {point}")
    with failing_as():
        directory = make(path)
        lock = None
        try:
            _refuse_init(directory)
            lock = directory.lock()
            _refuse_init(directory)
            _remove_cut_init(directory)
            return _first_version(directory, point, lock)
        except (Error, OSError):
            if lock is not None:
                close(lock)
            directory.close()
            raise


def _refuse_init(directory):
    if CURRENT in directory.names():
        raise Error("EXISTS", f"there is a {CURRENT}")
    try:
        look(directory)
    except Error as error:
        if error.code != "NO_DATABASE":
            raise
        return
    raise Error("EXISTS", "there is a database")


def _remove_cut_init(directory):
    for name in directory.names():
        if is_temporary(name) or name == manifest_name(1):
            directory.remove(name)
    directory.sync()
    slots = directory.names().intersection(SLOTS)
    for slot in slots:
        directory.remove(slot)
    if slots:
        directory.sync()


def _first_version(directory, point, lock):
    nothing = Manifest(0, 0, {}, {})
    found = Found(RENAME, 0, b"", nothing)
    if point == SLOTTED:
        for slot in SLOTS:
            directory.write_new(slot, Record(0).bytes())
        directory.sync()
        found = Found(SLOTTED, 0, b"", nothing, winner=SLOTS[1],
                      slots={slot: Record(0) for slot in SLOTS})
    database = Database(directory, found, False, lock)
    database.commit({})
    return database
