#!/usr/bin/env python3
"""Compares a report with what was planted: planted_expect.py REPORT.JSON EXPECTED

EXPECTED has a reason and the beginning of a lost operation's text on each line,
a tab between. The reasons of the report must be just those, and each must have
lost its operation. Prints the id and the reason of each violation.
"""

import json
import sys


def main(report_path, expected_path):
    with open(expected_path, encoding="utf-8") as file:
        expected = dict(line.rstrip("\n").split("\t") for line in file)
    with open(report_path, encoding="utf-8") as file:
        (model,) = json.load(file)["models"]
    found = {violation["reason"] for violation in model["violations"]}
    if found != set(expected):
        sys.exit(f"reasons: expected {sorted(expected)}, found {sorted(found)}")
    for violation in model["violations"]:
        lost = [model["operations"][index]["text"] for index in violation["lost"]]
        wanted = expected[violation["reason"]]
        if not any(text.startswith(wanted) for text in lost):
            sys.exit(f"{violation['reason']}: expected to have lost {wanted}, lost {lost}")
        print(violation["id"], violation["reason"], sep="\t")


main(*sys.argv[1:])
