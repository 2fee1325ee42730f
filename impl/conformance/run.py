#!/usr/bin/env python3
"""Runs the conformance vectors against an implementation of SPEC.md.

usage: run.py [--timeout SECONDS] ADAPTER [WORD]...
       run.py [--timeout SECONDS] --adapter ADAPTER [--adapter ARGUMENT]... [WORD]...

ADAPTER is a command that performs one operation and prints its result as one line
of JSON; README.md describes it. With words, only the vectors whose name contains
one of them are run. Exit status 0 when all hold, 1 when one does not, 2 on wrong
usage, 4 when none fails, but some need what the port does not have.
"""
import getopt
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LOCK = "MANIFEST-LOCK"
TIMEOUT = 60.0  # seconds; an adapter that opens a fifo like a file waits for ever


class Failure(Exception):
    """A vector that does not hold."""


class Unsupported(Exception):
    """A vector that needs what the port does not have."""


def read(*path):
    with open(os.path.join(HERE, *path), "rb") as file:
        return file.read()


class Adapter:
    def __init__(self, command, timeout):
        self.command, self.timeout = command, timeout

    def __call__(self, *arguments):
        result = subprocess.run([*self.command, *arguments], capture_output=True, check=False,
                                timeout=self.timeout)
        if result.returncode != 0:
            raise Failure(f"{arguments[0]}: exit status {result.returncode}: "
                          f"{result.stderr.decode(errors='replace')}")
        try:
            answer = json.loads(result.stdout)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("code"), str):
            raise Failure(f"{arguments[0]}: not a line of JSON with a code: {result.stdout!r}")
        if answer["code"] == "UNSUPPORTED":
            raise Unsupported(arguments[0])
        return answer


def compare(operation, expected, actual, optional=()):
    """Each member of expected is in actual; those that are optional may be missing."""
    for name, value in expected.items():
        if name in actual or name not in optional:
            if name not in actual or actual[name] != value:
                raise Failure(f"{operation}: expected {name} {value!r}, got {actual}")


# ---- Manifests ----


def run_manifest(adapter, case, _):
    path = os.path.join(HERE, "manifests", case["file"])
    words = ["unsealed"] if case.get("unsealed") else []
    compare("parse", case["result"], adapter("parse", path, *words), ("line", "column"))
    if "canonical" in case:
        text = str(adapter("print", path).get("text")).encode()
        if text != read("manifests", case["canonical"]):
            raise Failure(f"print: not the bytes of {case['canonical']}: {text!r}")


# ---- Directories ----


def content_of(entry):
    """The bytes that an entry of "files" stands for."""
    if isinstance(entry, str):
        return read("contents", entry)
    content = bytearray(read("contents", entry["of"]))
    if "flip" in entry:
        content[entry["flip"]] ^= 1
        return bytes(content)
    then = entry.get("then")
    rest = {None: b"", "zeros": bytes(len(content))}.get(then)
    if rest is None:
        rest = read("contents", then)
    return bytes(content[: entry["bytes"]]) + rest[entry["bytes"] :]


def build(path, files):
    os.mkdir(path)
    for name, entry in files.items():
        target = os.path.join(path, name)
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind == "directory":
            os.mkdir(target)
        elif kind == "fifo":
            os.mkfifo(target)
        elif kind == "link":
            os.symlink(entry["to"], target)
        else:
            with open(target, "wb") as file:
                file.write(content_of(entry))


def look(path):
    """What is in a directory, without the lock file."""
    found = {}
    for name in os.listdir(path):
        entry = os.path.join(path, name)
        if os.path.islink(entry):
            found[name] = "link"
        elif not os.path.isfile(entry):
            found[name] = "other"
        else:
            with open(entry, "rb") as file:
                found[name] = file.read()
    found.pop(LOCK, None)
    return found


def compare_directory(operation, path, expected):
    found = look(path)
    for name, entry in expected.items():
        if entry is None and name in found:
            raise Failure(f"{operation}: {name} is still there")
        if entry is not None and found.get(name) != content_of(entry):
            raise Failure(f"{operation}: {name} is {found.get(name)!r}")


class Scene:
    """A directory of a case, built anew for each operation on it."""

    def __init__(self, adapter, case, work):
        self.adapter, self.case, self.work = adapter, case, work
        self.words = ["unsealed"] if case.get("unsealed") else []
        self.count = 0

    def play(self, operation, expected, words, may_change):
        self.count += 1
        path = os.path.join(self.work, f"{operation}-{self.count}")
        build(path, self.case["files"])
        before = look(path)
        compare(operation, expected, self.adapter(operation, path, *words))
        if not may_change and look(path) != before:
            raise Failure(f"{operation}: changed the directory")
        return path

    def open_again(self, operation, path, version):
        """What was opened or committed is there for everybody, with nothing to mend."""
        expected = {"code": "OK", "version": version, "copy_missing": False, "fell_back": False}
        compare(f"read after {operation}", expected, self.adapter("read", path, *self.words))


def play_commit(scene, wanted):
    expected = {"code": "OK", "committed": wanted} if isinstance(wanted, int) else wanted
    path = scene.play("commit", expected, scene.words, True)
    compare_directory("commit", path, scene.case.get("after_commit", {}))
    if isinstance(wanted, int):
        scene.open_again("commit", path, wanted)
    else:
        scene.open_again("commit", path, scene.case["read"]["version"])


def play_init(scene, expected):
    point = scene.case.get("commit_point", "rename")
    path = scene.play("init", expected, [point], expected["code"] == "OK")
    if expected["code"] == "OK":
        scene.open_again("init", path, 1)


def run_directory(adapter, case, work):
    scene = Scene(adapter, case, work)
    if "inspect" in case:
        scene.play("inspect", case["inspect"], [], False)
        return
    opens = case["read"]["code"] == "OK"
    scene.play("read", case["read"], scene.words, False)
    path = scene.play("write", case["read"], scene.words, opens)
    if case["read"]["code"] == "NO_DATABASE" and LOCK not in case["files"]:
        if os.path.lexists(os.path.join(path, LOCK)):
            raise Failure(f"write: created {LOCK} where there is no database")
    compare_directory("write", path, case.get("after_write", {}))
    if opens:
        scene.open_again("write", path, case["read"]["version"])
        play_commit(scene, case["commit"])
    if "init" in case:
        play_init(scene, case["init"])


# ---- All of them ----


def parse(arguments):
    """The adapter and the words; None when the usage is wrong."""
    try:
        options, words = getopt.getopt(arguments, "", ["adapter=", "timeout="])
        timeout = float(dict(options).get("--timeout", TIMEOUT))
    except (getopt.GetoptError, ValueError):
        return None
    command = [value for name, value in options if name == "--adapter"]
    if not command and words:
        command, words = [os.path.abspath(words[0])], words[1:]
    return (Adapter(command, timeout), words) if command else None


def play(vector, adapter):
    """How a vector goes: "holds", "unsupported" or "FAILED", which is said."""
    name, run, case = vector
    with tempfile.TemporaryDirectory() as work:
        try:
            run(adapter, case, work)
            return "holds"
        except Unsupported as what:
            print(f"unsupported: {name} ({case['about']}): {what}")
            return "unsupported"
        except (Failure, OSError, subprocess.TimeoutExpired) as failure:
            print(f"FAILED: {name} ({case['about']}): {failure}")
            return "FAILED"


def main(arguments):
    parsed = parse(arguments)
    if parsed is None:
        sys.stderr.write(__doc__)
        return 2
    adapter, words = parsed
    manifests = [(f"manifests/{case['file']}", run_manifest, case)
                 for case in json.loads(read("manifests", "index.json"))]
    directories = [(f"directories/{case['name']}", run_directory, case)
                   for case in json.loads(read("directories.json"))]
    chosen = [vector for vector in manifests + directories
              if not words or any(word in vector[0] for word in words)]
    results = [play(vector, adapter) for vector in chosen]
    hold, unsupported = results.count("holds"), results.count("unsupported")
    print(f"{hold} of {len(chosen)} vectors hold, {unsupported} unsupported")
    if not chosen or hold + unsupported < len(chosen):
        return 1
    return 4 if unsupported else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
