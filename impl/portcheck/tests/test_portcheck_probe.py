#!/usr/bin/env python3
"""portcheck probe on the boards of tests/boards.

Each NAME.board was written for the test, in the formats of Linux. Its head says what probe
must find; what follows the empty line is the tree of /proc and /sys:

    directory: DIR              what is probed
    point: POINT SUPPORT        the commit point
    layers: KIND:NAME ...       all of them, from the directory down
    layer KIND: KEY=VALUE ...   fields of that layer ("~" stands for a space); disk: as well
    finding: SEVERITY CODE LAYER   all of them, in this order

    NAME := PATH                $NAME stands for it further down
    PATH = CONTENT              a file; \\n ends a line
    PATH -> TARGET              a symbolic link
    PATH/                       a folder

Usage: test_portcheck_probe.py PORTCHECK BOARDS
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

portcheck, boards = sys.argv[1], pathlib.Path(sys.argv[2])
failures = []


def check(name, what, actual, expected):
    if actual != expected:
        failures.append(f"{name}: {what}\n    is        {actual}\n    should be {expected}")


def make_tree(lines, root):
    words = {}
    for line in lines:
        line = re.sub(r"\$(\w+)", lambda match: words[match.group(1)], line)
        if " := " in line:
            word, path = line.split(" := ", 1)
            words[word] = path
            continue
        path, kind, rest = re.fullmatch(r"(\S+?)(?:( = | -> |/$)(.*))", line).groups()
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == " = ":
            place.write_text(rest.replace("\\n", "\n") + "\n")
        elif kind == " -> ":
            place.symlink_to(rest)
        else:
            place.mkdir()


def probe(root, directory, *options):
    result = subprocess.run([portcheck, "probe", "--root", root, *options, directory],
                            capture_output=True, text=True, timeout=60)
    check(directory, "exit status", result.returncode, 0)
    check(directory, "messages", result.stderr, "")
    return result.stdout


def name_of(layer):
    return layer.get("point") or layer["name"]


def check_fields(name, kind, words, layers):
    layer = next((layer for layer in layers if layer["layer"] == kind), {})
    for word in words:
        key, value = word.split("=", 1)
        check(name, f"{kind}: {key}", layer.get(key), value.replace("~", " "))


def check_head(name, head, report, text):
    layers, findings = report["layers"], []
    for line in head:
        key, _, rest = line.partition(": ")
        if key == "point":
            check(name, key, f"{report['commit_point']} {report['support']}", rest)
            check(name, "the commit point in the text",
                  f"commit point: {report['commit_point']} (" in text, True)
        elif key == "layers":
            check(name, key, " ".join(f"{layer['layer']}:{name_of(layer)}" for layer in layers),
                  rest)
        elif key == "disk" or key.startswith("layer "):
            check_fields(name, key.removeprefix("layer "), rest.split(), layers)
        elif key == "finding":
            findings.append(rest)
        else:
            check(name, "line of the head", line, "one that is known")
    check(name, "findings", [f"{finding['severity']} {finding['code']} {finding['subject']}"
                             for finding in report["findings"]], findings)
    for finding in report["findings"]:
        check(name, "the finding in the text", f"{finding['severity']}: {finding['subject']}: "
              f"{finding['matched']}: {finding['text']}\n" in text, True)


def check_board(path):
    head, tree = path.read_text().split("\n\n", 1)
    head = [line for line in head.splitlines() if not line.startswith("#")]
    directory = head.pop(0).removeprefix("directory: ")
    with tempfile.TemporaryDirectory() as root:
        make_tree(tree.splitlines(), pathlib.Path(root))
        before = sorted(pathlib.Path(root).rglob("*"))
        text = probe(root, directory)
        report = json.loads(probe(root, directory, "--json"))
        check(path.stem, "what there is afterwards", sorted(pathlib.Path(root).rglob("*")), before)
    check(path.stem, "directory", report["directory"], directory)
    check(path.stem, "complete", report["complete"], True)
    check_head(path.stem, head, report, text)


names = sorted(boards.glob("*.board"))
check("boards", "at least ten", len(names) >= 10, True)
for board in names:
    check_board(board)
for failure in failures:
    print(failure, file=sys.stderr)
print(f"{len(names)} boards, {len(failures)} failures")
sys.exit(1 if failures else 0)
