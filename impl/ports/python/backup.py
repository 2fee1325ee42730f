"""Backups: a folder with a chain of links, one for each version (SPEC.md, section 9)."""
import json

import database
import history
from database import SLOTTED, Database, failing_as, parse
from directory import (CURRENT, SLOTS, Directory, chunks, close, link_name, make, manifest_name,
                       sync_fd, version_of, write_all)
from document import Error, Manifest, U32, U64, crc32c

LINK, PART = "", ".part"
PREFIX = "MANIFEST-BACKUP-"


# ---- Links ----


class Link:
    """What a link says; base is None in the first."""

    def __init__(self, version, base, base_crc, size, crc):
        self.version, self.base, self.base_crc = version, base, base_crc
        self.size, self.crc = size, crc

    def text(self):
        members = {"backup": 1, "version": self.version, "base": self.base,
                   "base_crc32c": self.base_crc, "manifest_size": self.size,
                   "manifest_crc32c": self.crc}
        head = json.dumps(members, indent=2).encode()[:-2] + b",\n  "
        return head + b'"crc32c": %d\n}' % crc32c(head)

    @classmethod
    def read(cls, text, version):
        """The link that text is, if it is whole and that version's; else None."""
        try:
            members = json.loads(text)
            link = cls(*(members[name] for name in ("version", "base", "base_crc32c",
                                                    "manifest_size", "manifest_crc32c")))
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return link if link.is_possible(version) and link.text() == text else None

    def is_possible(self, version):
        first = self.base is None and self.base_crc is None
        follows = _is_integer(self.base, U64) and _is_integer(self.base_crc, U32)
        return (self.version == version and (first or follows and self.base < version)
                and _is_integer(self.size, U64) and _is_integer(self.crc, U32))


def _is_integer(value, largest):
    return type(value) is int and 0 <= value <= largest


def read_text(folder, version, suffix=LINK):
    """The bytes of a link or of its part; None if there is no such file."""
    try:
        return folder.read_if_there(link_name(version) + suffix)
    except Error:
        return None


def read_link(folder, version):
    """The text of a link that is whole, by itself or by its part; else None."""
    for suffix in (LINK, PART):
        text = read_text(folder, version, suffix)
        if text is not None and Link.read(text, version):
            return text
    return None


def chain(folder):
    """The versions of all links, ascending."""
    found = set()
    for name in folder.names():
        link, part = (version_of(name, PREFIX, suffix) for suffix in (LINK, PART))
        if link is not None:
            found.add(link)
        elif part is not None and read_link(folder, part):
            found.add(part)
    return sorted(found)


# ---- Verifying ----


def link_of(folder, version):
    text = read_link(folder, version)
    if text is None:
        raise Error("CORRUPT", f"{link_name(version)} is damaged")
    return Link.read(text, version)


def verify_base(folder, link):
    if link.base is not None:
        base = read_link(folder, link.base)
        if base is None or crc32c(base) != link.base_crc:
            raise Error("CORRUPT", f"{link_name(link.version)}: its base is not what it records")


def manifest_of(folder, link):
    """The manifest of a link, verified."""
    name = manifest_name(link.version)
    text = folder.read_if_there(name)
    if text is None or (len(text), crc32c(text)) != (link.size, link.crc):
        raise Error("CORRUPT", f"{name} is not what {link_name(link.version)} records")
    return parse(name, text, False, link.version)


def inspect(path):
    """Each link of a backup, ascending: version, base, and code."""
    with failing_as():
        try:
            folder = Directory(path)
        except FileNotFoundError:
            return []
        try:
            return [_inspect_link(folder, version) for version in chain(folder)]
        finally:
            folder.close()


def _inspect_link(folder, version):
    result = {"version": version, "code": "OK"}
    try:
        link = link_of(folder, version)
        if link.base is not None:
            result["base"] = link.base
        verify_base(folder, link)
        database.verify_files(folder, manifest_of(folder, link))
    except Error as error:
        result["code"] = error.code
    return result


# ---- Making a link ----


def add(db, version, path):
    """Adds a version of a database, open for writing, to the backup at path."""
    db.writable()  # otherwise what is current may not be durable
    text, manifest = history.read_version(db, version)
    if manifest.records is None:
        raise Error("INVALID", f"version {version} is not sealed")
    with failing_as():
        folder = make(path)
        try:
            if not folder.names().isdisjoint((CURRENT, *SLOTS)):
                raise Error("INVALID", f"{path} holds a database")
            lock = folder.lock()
            try:
                _Maker(db, folder).add(version, text, manifest)
            finally:
                close(lock)
        finally:
            folder.close()


class _Maker:
    """Makes one link, in a folder that is locked."""

    def __init__(self, db, folder):
        self.source, self.folder = db.directory, folder
        self.in_place = db.found.point == SLOTTED
        self.needed = {}  # the files that links name, and their records
        self.unknown = None  # why there may be others

    def add(self, version, text, manifest):
        for part in self.parts():
            self.finish_part(part)
        links = chain(self.folder)
        link = self.choose_link(links, version, text)
        self.find_needed(links)
        for name, record in manifest.files().items():
            self.add_file(name, record)
        if version not in links or self.folder.read_if_there(manifest_name(version)) != text:
            self.folder.publish(manifest_name(version), text)
        if version in links:
            return
        if self.in_place:
            self.write_link(version, link.text())
        else:
            self.folder.publish(link_name(version), link.text())

    def choose_link(self, links, version, text):
        """The link to make, or the one that is there."""
        size, crc = len(text), crc32c(text)
        if version in links:
            link = link_of(self.folder, version)
            if (link.size, link.crc) != (size, crc):
                raise Error("INVALID", f"the backup holds another version {version}")
            return link
        base = max((link for link in links if link < version), default=None)
        if base is None:
            return Link(version, None, None, size, crc)
        return Link(version, base, crc32c(link_of(self.folder, base).text()), size, crc)

    # ---- Files ----

    def find_needed(self, links):
        for version in links:
            try:
                self.needed.update(manifest_of(self.folder, link_of(self.folder, version)).files())
            except Error as error:
                self.unknown = str(error)

    def add_file(self, name, record):
        try:
            found = self.folder.measure(name)
        except FileNotFoundError:
            return self.copy(name, record)
        except Error:
            found = None
        if found == record:
            if self.in_place and name not in self.needed:
                self.folder.measure(name, sync=True)
            return None
        if self.unknown or self.needed.get(name, record) != record:
            raise Error("INVALID", f"{name}: a link may need the file that is there")
        return self.copy(name, record)

    def copy(self, name, record):
        source = self.source.open(name)
        temporary, fd = self.folder.create_temporary()
        try:
            for chunk in chunks(source):
                write_all(fd, chunk)
            self.folder.verify(temporary, record)
            sync_fd(fd)
            self.folder.rename(temporary, name)
            sync_fd(fd)
        except (Error, OSError):
            self.folder.discard(temporary)
            raise
        finally:
            close(source)
            close(fd)

    # ---- In place ----

    def parts(self):
        found = (version_of(name, PREFIX, PART) for name in self.folder.names())
        return sorted(version for version in found if version is not None)

    def finish_part(self, version):
        """Step 1, for one part."""
        text = read_link(self.folder, version)
        if text is None:
            self.folder.remove(link_name(version) + PART)
            self.folder.sync()
        else:
            self.write_link(version, text)

    def write_link(self, version, text):
        """Steps 3 to 5."""
        for suffix in (PART, LINK):
            name = link_name(version) + suffix
            if read_text(self.folder, version, suffix) == text:
                self.folder.write_in_place(name, text)
            else:
                self.folder.remove(name)
                self.folder.write_new(name, text)
            self.folder.sync()
        self.folder.remove(link_name(version) + PART)
        self.folder.sync()


# ---- Restoring ----


def restore(path, version, to):
    """Restores a version of a backup into the database at to; returns its number there."""
    changes = _read_files(path, version)
    try:
        db = Database.open(to, write=True)
    except Error as error:
        if error.code != "NO_DATABASE":
            raise
        db = database.init(to)
    with db:
        return db.commit(changes, base=Manifest(0, 0, {}, {}), at_least=version)


def _read_files(path, version):
    """(kind, key) -> bytes of every file of a version in a backup, verified."""
    with failing_as():
        try:
            folder = Directory(path)
        except FileNotFoundError:
            raise Error("NO_DATABASE", f"{path} is missing") from None
        try:
            links = chain(folder)
            if version not in links:
                code = "NO_VERSION" if links else "NO_DATABASE"
                raise Error(code, f"there is no link of version {version}")
            manifest = manifest_of(folder, link_of(folder, version))
            return {entry: _read_file(folder, name, manifest.records[name])
                    for entry, name in manifest.names.items()}
        finally:
            folder.close()


def _read_file(folder, name, record):
    data = folder.read_if_there(name)
    if data is None or (len(data), crc32c(data)) != record:
        raise Error("CORRUPT", f"{name} is not what its record says")
    return data
