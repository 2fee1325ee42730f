"""The text of a manifest: a strict reader and the canonical writer (SPEC.md, section 3).

parse() turns bytes into a Manifest, or raises Error MALFORMED with line and column.
Manifest.text() gives the one sealed form. Names and keys are str; Python compares str
by code points, which is the order of their UTF-8 bytes.
"""
import json
import re

U64 = 2**64 - 1
U32 = 2**32 - 1
MAX_BYTES = 2**24
MAX_DEPTH = 32
MAX_NUMBER = 63  # bytes of a number
MAX_NAME = 255  # bytes of a file name

KINDS = ("lsm", "vector", "spatial", "text", "timestamp", "column")
MAPS = tuple(f"{kind}_indexes" for kind in KINDS[1:])


class Error(Exception):
    """What went wrong, by its code in SPEC.md, section 7. MALFORMED has line and column."""

    def __init__(self, code, message, line=None, column=None):
        super().__init__(message)
        self.code, self.line, self.column = code, line, column


# ---- CRC32C ----


def _crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC32C = _crc32c_table()


def crc32c(data, crc=0):
    """The CRC32C of data, or of what crc is the CRC32C of, followed by data."""
    table, crc = _CRC32C, crc ^ U32
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ U32


# ---- Names ----


def is_data_name(name):
    """Whether a version may name this file."""
    return (0 < len(name.encode()) <= MAX_NAME and "/" not in name and "\0" not in name
            and name not in (".", "..") and not name.startswith("MANIFEST-")
            and not name.endswith(".tmp"))


def checksum(names):
    """The original format's checksum of file names."""
    total = 0
    for name in names:
        h = 0
        for byte in name.encode():
            h = 31 * h + byte & U64
        total = total + h & U64
    return total


# ---- JSON ----

_SPACE = re.compile(rb"[ \t\n\r]*")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_INTEGER = re.compile(rb"0|[1-9][0-9]*")
_HEX = re.compile(rb"[0-9a-fA-F]{0,4}")
_ESCAPES = {ord(a): b for a, b in zip('"\\/bfnrt', '"\\/\b\f\n\r\t')}
_BRACKETS = (ord("{"), ord("["))
_WORDS = {ord("t"): (b"true", True), ord("f"): (b"false", False), ord("n"): (b"null", None)}


class Value:
    """A value and where it is. A number is its token (bytes), an object a dict of Members."""

    def __init__(self, at, value):
        self.at, self.value = at, value


class Member(Value):
    """A value with the place of its name."""

    def __init__(self, name_at, value):
        super().__init__(value.at, value.value)
        self.name_at = name_at


class Scanner:
    """Reads one JSON text; refuses what the strict reader must refuse anywhere in it."""

    def __init__(self, text, max_depth):
        self.text, self.max_depth, self.at = text, max_depth, 0

    def wrong(self, at, message):
        """The error for the byte at that offset."""
        line = self.text.count(b"\n", 0, at) + 1
        column = at - (self.text.rfind(b"\n", 0, at) + 1) + 1
        return Error("MALFORMED", f"line {line}, column {column}: {message}", line, column)

    def peek(self):
        return self.text[self.at] if self.at < len(self.text) else -1

    def space(self):
        self.at = _SPACE.match(self.text, self.at).end()

    def expect(self, characters):
        """Takes the next of these bytes, in order."""
        for byte in characters:
            if self.peek() != byte:
                raise self.wrong(self.at, f"expected {characters.decode()}")
            self.at += 1

    def whole(self):
        self.space()
        value = self.value(1)
        self.space()
        if self.at < len(self.text):
            raise self.wrong(self.at, "bytes after the end")
        return value

    def value(self, depth):
        at, byte = self.at, self.peek()
        if byte in _BRACKETS and depth > self.max_depth:
            raise self.wrong(at, f"nested deeper than {self.max_depth}")
        if byte == ord("{"):
            return Value(at, self.object(depth))
        if byte == ord("["):
            return Value(at, self.array(depth))
        if byte == ord('"'):
            return Value(at, self.string())
        if byte in _WORDS:
            self.expect(_WORDS[byte][0])
            return Value(at, _WORDS[byte][1])
        return Value(at, self.number())

    def items(self, close, item):
        """Calls item for each of the comma-separated items up to the closing bracket."""
        self.at += 1
        self.space()
        if self.peek() == ord(close):
            self.at += 1
            return
        while True:
            self.space()
            item()
            self.space()
            if self.peek() != ord(","):
                return self.expect(close.encode())
            self.at += 1

    def array(self, depth):
        values = []
        self.items("]", lambda: values.append(self.value(depth + 1)))
        return values

    def object(self, depth):
        members = {}

        def member():
            at = self.at
            name = self.string()
            if name in members:
                raise self.wrong(at, "a second member of this name")
            self.space()
            self.expect(b":")
            self.space()
            members[name] = Member(at, self.value(depth + 1))

        self.items("}", member)
        return members

    def number(self):
        match = _NUMBER.match(self.text, self.at)
        if not match:
            self.at += self.peek() == ord("-")
            raise self.wrong(self.at, "no value")
        self.at, token = match.end(), match.group()
        self.refuse_half_a_number(token)
        if len(token) > MAX_NUMBER:
            raise self.wrong(match.start(), f"a number of more than {MAX_NUMBER} bytes")
        if float(token) in (float("inf"), float("-inf")):
            raise self.wrong(match.start(), "a number that overflows")
        return token

    def refuse_half_a_number(self, token):
        """What the match left behind: the point or the exponent of "1." and "1e+"."""
        rest = rb"[eE][+-]?" if b"." in token else rb"\.|[eE][+-]?"
        after = re.match(rest, self.text[self.at:self.at + 2])
        if after and b"e" not in token.lower():
            self.at += after.end()
            raise self.wrong(self.at, "expected a digit")

    def string(self):
        self.expect(b'"')
        parts = []
        while True:
            start, self.at = self.at, _PLAIN.match(self.text, self.at).end()
            try:
                parts.append(self.text[start:self.at].decode())
            except UnicodeDecodeError as error:
                raise self.wrong(start + error.start, "no UTF-8") from None
            if self.peek() != ord("\\"):
                self.expect(b'"')
                return "".join(parts)
            parts.append(self.escape())

    def escape(self):
        at = self.at
        self.at += 1
        byte = self.peek()
        if byte in _ESCAPES:
            self.at += 1
            return _ESCAPES[byte]
        code = self.code_unit()
        if 0xD800 <= code < 0xDC00 and self.text[self.at:self.at + 2] == b"\\u":
            self.at += 1
            low = self.code_unit()
            if not 0xDC00 <= low < 0xE000:
                raise self.wrong(at, "half a surrogate pair")
            return chr(0x10000 + (code - 0xD800 << 10) + low - 0xDC00)
        if code == 0 or 0xD800 <= code < 0xE000:
            raise self.wrong(at, "NUL, or half a surrogate pair")
        return chr(code)

    def code_unit(self):
        """The number after the backslash of \\uXXXX."""
        self.expect(b"u")
        digits = _HEX.match(self.text, self.at)
        self.at = digits.end()
        if len(digits.group()) < 4:
            raise self.wrong(self.at, "expected a hexadecimal digit")
        return int(digits.group(), 16)


# ---- The manifest ----


class Manifest:
    """A version: its number, its time, and what it names.

    names: (kind, key) -> file name, the key of "lsm" being "".
    records: file name -> (size, crc32c); None if the manifest is unsealed.
    """

    def __init__(self, version, timestamp, names, records):
        self.version, self.timestamp = version, timestamp
        self.names = dict(sorted(names.items(), key=_by_kind))
        self.records = records

    def files(self):
        """Every file once, each with its record (None if unsealed), sorted."""
        return {name: self.records and self.records[name]
                for name in sorted(set(self.names.values()))}

    def text(self):
        """The canonical bytes. The manifest must be sealed."""
        members = {"version": self.version, "lsm_file": self.names.get(("lsm", ""))}
        for kind, name in zip(KINDS[1:], MAPS):
            members[name] = {key: file for (of, key), file in self.names.items() if of == kind}
        members["checksum"] = checksum(self.names.values())
        members["timestamp"] = self.timestamp
        members["files"] = {name: {"size": size, "crc32c": crc}
                            for name, (size, crc) in self.files().items()}
        # json writes the canonical form when it indents by two and leaves Unicode alone.
        head = json.dumps(members, indent=2, ensure_ascii=False).encode()[:-2] + b",\n  "
        return head + b'"manifest_crc32c": %d\n}' % crc32c(head)


def _by_kind(entry):
    (kind, key), _ = entry
    return KINDS.index(kind), key


class _Reader:
    """Turns the scanned object into a Manifest."""

    def __init__(self, scanner, root):
        self.scanner, self.root = scanner, root

    def wrong(self, value, message):
        return self.scanner.wrong(value.at, message)

    def typed(self, value, type_, what):
        if not isinstance(value.value, type_):
            raise self.wrong(value, f"expected {what}")
        return value.value

    def member(self, parent, name):
        if name not in parent.value:
            raise self.wrong(parent, f"{name} is missing")
        return parent.value[name]

    def integer(self, parent, name, largest=U64):
        value = self.member(parent, name)
        token = self.typed(value, bytes, "an integer")
        if not _INTEGER.fullmatch(token) or int(token) > largest:
            raise self.wrong(value, f"expected an integer up to {largest}")
        return int(token)

    def file_name(self, value):
        name = self.typed(value, str, "a file name")
        if not is_data_name(name):
            raise self.wrong(value, "a name that a data file must not have")
        return name

    def names(self):
        names = {}
        lsm = self.root.value.get("lsm_file")
        if lsm and lsm.value is not None:
            names["lsm", ""] = self.file_name(lsm)
        for kind, name in zip(KINDS[1:], MAPS):
            files = self.member(self.root, name)
            for key, value in self.typed(files, dict, "an object").items():
                names[kind, key] = self.file_name(value)
        return names

    def records(self, names):
        files = self.member(self.root, "files")
        records = {}
        for name, record in self.typed(files, dict, "an object").items():
            self.typed(record, dict, "an object")
            if name not in names:
                raise self.wrong(record, "a record of a file that nothing names")
            records[name] = self.integer(record, "size"), self.integer(record, "crc32c", U32)
        if len(records) < len(names):
            raise self.wrong(files, "a file has no record")
        return records

    def check_seal(self):
        seal = self.member(self.root, "manifest_crc32c")
        crc = self.integer(self.root, "manifest_crc32c", U32)
        if list(self.root.value)[-1] != "manifest_crc32c":
            raise self.wrong(seal, "manifest_crc32c must be the last member")
        if crc != crc32c(self.scanner.text[:seal.name_at]):
            raise self.wrong(seal, "the seal is broken")

    def manifest(self, unsealed):
        members = self.typed(self.root, dict, "an object")
        version = self.integer(self.root, "version")
        timestamp = self.integer(self.root, "timestamp")
        names = self.names()
        if self.integer(self.root, "checksum") != checksum(names.values()):
            raise self.wrong(members["checksum"], "the checksum of the names does not agree")
        if unsealed and "files" not in members and "manifest_crc32c" not in members:
            return Manifest(version, timestamp, names, None)
        records = self.records(set(names.values()))
        self.check_seal()
        return Manifest(version, timestamp, names, records)


def parse(text, unsealed=False, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH):
    """The manifest that text is; unsealed ones only if the caller accepts them."""
    if len(text) > max_bytes:
        raise Error("MALFORMED", f"more than {max_bytes} bytes", 1, 1)
    scanner = Scanner(text, max_depth)
    return _Reader(scanner, scanner.whole()).manifest(unsealed)
