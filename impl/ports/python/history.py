"""Kept versions, their removal, orphans, and recovery by hand (SPEC.md, section 8).

Functions take a Database; what removes something wants one that is open for writing.
"""
import errno
import itertools
import re

import database
from database import SLOTTED, Database, Found, Record, failing_as, parse
from directory import (CURRENT, DAMAGED, REMOVED, SLOTS, Directory, close, is_temporary, manifest_name,
                       removed_name, version_of)
from document import Error, KINDS, U64

# The names that libmanifest, and this port, give to data files.
_OWN_NAME = re.compile(rf"(lsm|({'|'.join(KINDS[1:])})(-[A-Za-z0-9_-]{{1,64}})?)"
                       r"-(?P<version>[0-9]{6,20})(-[1-9][0-9]*)?")


# ---- What is kept ----


def read_removed(db, version):
    """Text and Manifest of a MANIFEST-k.removed, or None if that says nothing."""
    name = removed_name(version)
    try:
        text = db.directory.read(name)
        return text, parse(name, text, True, version)
    except Error:
        return None
    except OSError as error:
        if error.errno == errno.EIO and manifest_name(version) in db.directory.names():
            return None
        raise


def read_all_removed(db):
    """k -> read_removed, of all that name files of versions that are gone."""
    current, found = db.found.version, {}
    for version in db.directory.versions(REMOVED):
        removed = read_removed(db, version)
        if removed and (db.found.point != SLOTTED or version < current):
            found[version] = removed
    return found


def kept(db):
    """The numbers of all kept versions, ascending."""
    current = db.found.version
    gone = read_all_removed(db) if db.found.point == SLOTTED else ()
    there = {version for version in db.directory.versions() if version <= current}
    return sorted(there.difference(gone) | {current})


def versions(db):
    with failing_as():
        return kept(db)


def read_version(db, version):
    """Text and Manifest of a kept version."""
    with failing_as():
        if version not in kept(db):
            raise Error("NO_VERSION", f"version {version} is not kept")
        return _read_kept(db, version)


def _read_kept(db, version):
    if version == db.found.version:
        return db.found.text, db.found.manifest
    name = manifest_name(version)
    text = db.directory.read(name)
    return text, parse(name, text, db.unsealed, version)


def _live(db, numbers):
    """The names that these versions name."""
    return {name for version in numbers for name in _read_kept(db, version)[1].files()}


# ---- Removal ----


def clean_up(db, keep):
    """Removes all versions but the newest keep, and goes on with a clean-up that was cut."""
    if keep < 1:
        raise Error("INVALID", "at least one version is kept")
    with db.writing():
        numbers = kept(db)
        live = _live(db, numbers[-keep:])
        going = numbers[:-keep]
        if going or db.directory.versions(REMOVED):
            _remove(db, going, live, set())


def sweep(db):
    """Removes the orphans that may be removed."""
    with db.writing():
        numbers = kept(db)
        live = _live(db, numbers)
        orphans = {name for name in db.directory.names() if _is_leftover(db, name, live)}
        if orphans or db.directory.versions(REMOVED):
            _remove(db, [], live, orphans)


def _is_leftover(db, name, live):
    version = version_of(name)
    if version is not None:
        return version > db.found.version
    return is_temporary(name) or _is_own(name) and name not in live


def _is_own(name):
    match = _OWN_NAME.fullmatch(name)
    if not match:
        return False
    version = int(match["version"])
    return f"{version:06}" == match["version"] and version <= U64


def _remove(db, going, live, others):
    """Steps 1 to 5: removes these versions, what only they name, and others."""
    directory = db.directory
    if db.found.point == SLOTTED:
        _mark_removed_slots(db, going)
    else:
        for version in going:
            directory.rename(manifest_name(version), removed_name(version))
        directory.sync()
    named = {name for _, manifest in read_all_removed(db).values() for name in manifest.files()}
    for name in sorted((named - live) | others):
        if directory.is_file(name):
            directory.remove(name)
    directory.sync()
    for version in directory.versions(REMOVED):
        directory.remove(removed_name(version))
    directory.sync()


def _mark_removed_slots(db, going):
    """Steps 1a to 2b, which take the place of a rename."""
    directory = db.directory
    gone = read_all_removed(db)
    for version, (text, _) in gone.items():
        directory.write_in_place(removed_name(version), text)
    for version in going:
        try:
            text, _ = _read_kept(db, version)
        except Error:
            continue
        directory.remove(removed_name(version))
        directory.write_new(removed_name(version), text)
    directory.sync()
    for version in [*gone, *going]:
        directory.remove(manifest_name(version))
    directory.sync()


# ---- Recovery by hand ----


def recover(path, version, unsealed=False):
    """Commits a version of a corrupt database again; returns its new number."""
    with failing_as():
        try:
            directory = Directory(path)
        except FileNotFoundError:
            raise Error("NO_DATABASE", f"{path} is missing") from None
        try:
            _demand_corrupt(database.look, directory, unsealed)
            lock = directory.lock()
            try:
                _demand_corrupt(database.inspect, directory, unsealed)
                return _recover(directory, version, unsealed, lock)
            finally:
                close(lock)
        finally:
            directory.close()


def _demand_corrupt(find, directory, unsealed):
    try:
        find(directory, unsealed)
    except Error as error:
        if error.code != "CORRUPT":
            raise
        return
    raise Error("INVALID", "the database is not corrupt")


def _recover(directory, version, unsealed, lock):
    names = directory.names()
    if CURRENT in names and not names.isdisjoint(SLOTS):
        raise Error("CORRUPT", f"both slots and {CURRENT}: it is not known which to recover")
    name = manifest_name(version)
    text = directory.read_if_there(name)
    if text is None:
        raise Error("NO_VERSION", f"there is no {name}")
    manifest = parse(name, text, unsealed, version)
    database.verify_files(directory, manifest)
    db = Database(directory, _claimed(directory, names, unsealed), unsealed, lock)
    db.highest = max(0, *directory.numbers())
    _settle_manifests(directory)
    return db.commit({}, base=manifest, tidy=False)


def _settle_manifests(directory):
    """Sets the newest manifests aside, down to the first that is one: they would pass for kept."""
    any_removed = False
    for version in reversed(directory.versions()):
        name = manifest_name(version)
        if not directory.is_file(name):
            break
        text = directory.read(name)
        if _is_manifest(text):
            directory.write_in_place(name, text)
            break
        if text:
            _set_aside(directory, name + DAMAGED, text)
        directory.remove(name)
        any_removed = True
    if any_removed:
        directory.sync()


def _set_aside(directory, first, text):
    """Keeps these bytes under the first name that is free, or has them already."""
    for i in itertools.count():
        name = f"{first}-{i}" if i else first
        try:
            directory.write_new(name, text)
            break
        except FileExistsError:
            if directory.is_file(name) and directory.read(name) == text:
                directory.write_in_place(name, text)
                break
    directory.sync()


def _is_manifest(text):
    try:
        parse("", text, True)
    except Error:
        return False
    return True


def _claimed(directory, names, unsealed):
    """What the commit replaces: of it, only the highest number and sequence count."""
    if names.isdisjoint(SLOTS):
        return Found(database.RENAME, _claim_of_current(directory, unsealed), b"", None)
    slots = database.read_slots(directory)
    records = {slot: record or Record(0) for slot, record in slots.items()}
    winner = max(SLOTS, key=lambda slot: (slots[slot] is not None, records[slot].sequence))
    return Found(SLOTTED, max(record.version for record in records.values()), b"", None,
                 winner=winner, slots=records)


def _claim_of_current(directory, unsealed):
    try:
        return parse(CURRENT, directory.read_if_there(CURRENT) or b"", unsealed).version
    except Error:
        return 0
