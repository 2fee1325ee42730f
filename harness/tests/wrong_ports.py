#!/usr/bin/env python3
"""The table of wrong ports (wrong_ports.txt): wrong_ports.py [DOCUMENT].

Prints it as Markdown; with a document, says whether that has it. Exit status 0, or 1 when
it has not.
"""
import os
import sys

HEAD = ["rule of SPEC.md, section", "wrong port", "caught in", "which says"]


def rows():
    with open(os.path.join(os.path.dirname(__file__), "wrong_ports.txt"), encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                rule, port, part, options, said = (field.strip() for field in line.split("|"))
                under = options.split()[1]
                where = part if under == "posix" else f"{part}, {under}"
                yield [rule, f"`{port.split()[1]}`", f"`{where}`", said.rstrip(": ")]


def table():
    lines = [HEAD, ["---"] * len(HEAD), *rows()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(document=None):
    if document is None:
        print(table(), end="")
        return 0
    with open(document, encoding="utf-8") as file:
        return 0 if table() in file.read() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
