#!/usr/bin/env python3
"""Checks the report of a port: ports_check.py SCHEMA FOLDER VERDICT.

report.json must follow the schema and have that verdict, each part's own report must
agree with it, and junit.xml must say the same. Exit status 0 when all is well.
"""
import json
import os
import sys
import xml.etree.ElementTree

import jsonschema

ORDER = ["pass", "unsupported", "incomplete", "error", "fail"]
ELEMENTS = {"unsupported": "skipped", "incomplete": "error", "error": "error", "fail": "failure"}


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def check_part(part):
    assert (part["verdict"] == "fail") == bool(part["violations"]), part["name"]
    if not part["models"]:
        return
    own = load(part["folder"], "report.json")
    assert [model["name"] for model in own["models"]] == [m["name"] for m in part["models"]]
    assert sum(model["runs"] for model in own["models"]) == part["runs"]
    for model, row in zip(own["models"], part["models"]):
        assert model["states"]["legal"] == row["states"]
    reasons = [violation["reason"] for model in own["models"] for violation in model["violations"]]
    assert set(reasons) <= {violation["reason"] for violation in part["violations"]}


def check_junit(folder, parts):
    cases = xml.etree.ElementTree.parse(os.path.join(folder, "junit.xml")).findall(".//testcase")
    assert [case.get("name") for case in cases] == [part["name"] for part in parts]
    for case, part in zip(cases, parts):
        found = [child.tag for child in case]
        assert found == ([ELEMENTS[part["verdict"]]] if part["verdict"] != "pass" else []), found


def main(schema, folder, verdict):
    report = load(folder, "report.json")
    jsonschema.validate(report, load(schema))
    assert report["verdict"] == verdict, report["verdict"]
    worst = max(ORDER.index(part["verdict"]) for part in report["parts"]
                if not (report["accepts_unsupported"] and part["verdict"] == "unsupported"))
    assert ORDER[worst] == verdict
    for part in report["parts"]:
        check_part(part)
    check_junit(folder, report["parts"])


if __name__ == "__main__":
    main(*sys.argv[1:])
