#!/usr/bin/env python3
"""Checks reports of portcheck-host: report.py SCHEMA DIR [VERDICT]

portcheck.json must follow the schema and agree with itself, and junit.xml must say the
same. Exit status 0 when all is well; otherwise 1 with the first fault.
"""

import json
import os
import sys
import xml.etree.ElementTree

import jsonschema


def expect(condition, what):
    if not condition:
        sys.exit(f"report.py: {what}")


def main():
    schema_path, directory = sys.argv[1:3]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    with open(os.path.join(directory, "portcheck.json"), encoding="utf-8") as file:
        report = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema)

    cuts, results = report["cuts"], report["results"]
    for outcome in ("survived", "lost", "uncounted"):
        count = sum(result["outcome"] == outcome for result in results)
        expect(count == cuts[outcome], f"{outcome}: {cuts[outcome]}, but {count} results")
    for result in results:
        expect((result["outcome"] == "uncounted") == (result["reason"] is not None), "reason")
        if result["outcome"] == "survived":
            expect(result["found"] >= result["acknowledged"], "survived with less than was promised")
    verdict = report["verdict"]
    expect((verdict == "FAIL") == (cuts["lost"] > 0), "verdict and what was lost")
    if verdict == "PASS":
        expect(cuts["survived"] >= cuts["wanted"], "a pass with too few cuts")
    if cuts["lost"] == 0:
        n = cuts["survived"]
        bound = 1 - 0.05 ** (1 / n) if n > 0 else 1
        expect(abs(cuts["upper_bound"] - bound) < 1e-9, "upper bound")
    if report["kind"] != "power":
        expect("survives power loss" not in report["sentence"], "words that only power may say")
        expect("no word on" in report["not_shown"], "what was not shown")

    suite = xml.etree.ElementTree.parse(os.path.join(directory, "junit.xml")).getroot()[0]
    cases = suite.findall("testcase")
    expect(len(cases) == len(results) + 1 == int(suite.get("tests")), "cases")
    failures, skipped = suite.findall("*/failure"), suite.findall("*/skipped")
    expect(len(failures) == int(suite.get("failures")), "failures")
    expect(len(skipped) == int(suite.get("skipped")), "skipped")
    expect(len(failures) == cuts["lost"] + (verdict == "FAIL"), "failures of the results")
    if len(sys.argv) > 3:
        expect(verdict == sys.argv[3], f"the verdict is {verdict}, not {sys.argv[3]}")


main()
