#!/usr/bin/env python3
"""Manifests are exchanged with the format that libmanifest extends.

What that format's writer (serde_json, pretty or compact, maps in any order, no
"files" and no "manifest_crc32c") leaves behind is read with --unsealed and only
with it. What libmanifest writes is strict JSON with the same members in the same
order, followed by the two new ones.

usage: test_manifest_interchange.py MANIFEST (the command)
"""
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

KINDS = ["vector", "spatial", "text", "timestamp", "column"]
ORIGINAL = ["version", "lsm_file", *(f"{kind}_indexes" for kind in KINDS), "checksum", "timestamp"]
U64 = (1 << 64) - 1

command = sys.argv[1]


def run(*arguments):
    """Exit status and the JSON that was printed."""
    result = subprocess.run([command, *arguments, "--json"], capture_output=True, check=False)
    return result.returncode, json.loads(result.stdout)


def checksum(names):
    """The original's: wrapping, over the names, in no particular order."""
    total = 0
    for name in names:
        value = 0
        for byte in name.encode():
            value = (value * 31 + byte) & U64
        total += value
    return total & U64


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


# ---- From the original ----


def original(version, lsm, maps, order):
    """A manifest as the original's struct, each map in an order of its own."""
    value = {"version": version, "lsm_file": lsm}
    for kind in KINDS:
        keys = sorted(maps.get(kind, {}))
        order.shuffle(keys)
        value[f"{kind}_indexes"] = {key: maps[kind][key] for key in keys}
    names = [name for entries in maps.values() for name in entries.values()]
    value["checksum"] = checksum(names + ([lsm] if lsm else []))
    value["timestamp"] = 1700000000
    return value


# serde_json escapes what RFC 8259 makes it escape and nothing else, as
# json.dumps does without ensure_ascii.
FORMS = {
    "pretty": {"indent": 2},
    "compact": {"separators": (",", ":")},
}

CASES = [
    (0, None, {}),
    (1, "rows.sst", {}),
    (7, "rows.sst", {"vector": {"a": "v-a", "b": "v-b", "c": "v-c"}, "column": {"": "no-key"}}),
    (2**53 + 1, None, {"text": {'quo"te': "t-1", "back\\slash": "t-2", "tab\t\x1f\x7f": "t-3"}}),
    (U64, "größe.sst", {"spatial": {"\u00e9\U0001f5fa": "\U0001f5fa"}, "timestamp": {"t": "x" * 255}}),
]


def read_original(path, value, form):
    os.mkdir(path)
    entries = [("lsm", "", value["lsm_file"])] if value.get("lsm_file") else []
    for kind in KINDS:
        entries += [(kind, key, name) for key, name in sorted(value[f"{kind}_indexes"].items())]
    for _, _, name in entries:
        with open(os.path.join(path, name), "wb") as file:
            file.write(name.encode())
    with open(os.path.join(path, "MANIFEST-CURRENT"), "wb") as file:
        file.write(json.dumps(value, ensure_ascii=False, **FORMS[form]).encode())

    status, result = run("show", path)
    assert (status, result["code"]) == (1, "CORRUPT"), result
    status, result = run("show", path, "--unsealed")
    assert (status, result["version"]) == (0, value["version"]), result
    assert not result["sealed"], result
    read = [(file["kind"], file["key"], file["name"]) for file in result["files"]]
    assert read == entries, (read, entries)
    if value["version"] == U64:
        return
    # The next commit records what the original did not.
    status, result = run("commit", path, "--unsealed", "--column", f"new={command}")
    assert (status, result["version"]) == (0, value["version"] + 1), result
    status, result = run("show", path)
    assert status == 0 and result["sealed"], result
    for file in result["files"]:
        if file["key"] != "new":
            assert file["crc32c"] == crc32c(file["name"].encode()), file


def from_the_original(work):
    order = random.Random(3)
    count = 0
    for (version, lsm, maps), form, attempt in itertools.product(CASES, FORMS, range(3)):
        value = original(version, lsm, maps, order)
        if lsm is None and attempt > 0:
            del value["lsm_file"]  # its reader takes that for null
        read_original(os.path.join(work, str(count)), value, form)
        count += 1
    return count


# ---- To the original ----


def refuse(text):
    raise ValueError(f"{text}: not an integer")


def strict_object(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"a member twice: {names}"
    return dict(pairs)


def strict_parse(text):
    return json.loads(text.decode("utf-8", "strict"), object_pairs_hook=strict_object,
                      parse_float=refuse, parse_constant=refuse)


def check_ours(path, version):
    with open(os.path.join(path, f"MANIFEST-{version:06}"), "rb") as file:
        text = file.read()
    value = strict_parse(text)
    assert list(value) == [*ORIGINAL, "files", "manifest_crc32c"], list(value)
    assert value["version"] == version and isinstance(value["timestamp"], int)
    names = [value["lsm_file"]] if value["lsm_file"] else []
    for kind in KINDS:
        entries = value[f"{kind}_indexes"]
        assert list(entries) == sorted(entries, key=str.encode), entries
        names += entries.values()
    assert value["checksum"] == checksum(names)
    assert list(value["files"]) == sorted(set(names), key=str.encode)
    for name, record in value["files"].items():
        with open(os.path.join(path, name), "rb") as file:
            content = file.read()
        assert record == {"size": len(content), "crc32c": crc32c(content)}, (name, record)
        assert list(record) == ["size", "crc32c"]
    sealed = text[: text.rindex(b'"manifest_crc32c"')]
    assert value["manifest_crc32c"] == crc32c(sealed)
    # Canonical: the same value gives these bytes and no others.
    assert text == json.dumps(value, ensure_ascii=False, indent=2).encode()


def to_the_original(work):
    path = os.path.join(work, "ours")
    rows = os.path.join(work, "rows")
    with open(rows, "w", encoding="ascii") as file:
        file.write("123456789")
    assert run("init", path) == (0, {"code": "OK", "version": 1})
    check_ours(path, 1)
    keys = ["z", "a", "Z", "\u00e9", "\U0001f5fa", 'quo"te', "back\\slash", "\x01\x1f\x7f\b\f\n\r\t", "/"]
    options = [f"--{kind}={key}={rows}" for kind in KINDS for key in keys]
    for version, arguments in enumerate([[f"--lsm={rows}"], options, ["--remove=lsm"]], start=2):
        status, result = run("commit", path, *arguments)
        assert (status, result["version"]) == (0, version), result
        check_ours(path, version)


def specification():
    """Its example is one of the conformance vectors, to the byte."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    with open(os.path.join(folder, "SPEC.md"), encoding="utf-8") as file:
        example = file.read().split("```json\n")[1].split("\n```")[0]
    with open(os.path.join(folder, "conformance/contents/v2.json"), encoding="utf-8") as file:
        assert file.read() == example


def main():
    specification()
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720's check value
    with tempfile.TemporaryDirectory() as work:
        count = from_the_original(work)
        to_the_original(work)
    print(f"{count} manifests of the original read, 4 of ours parsed")


main()
