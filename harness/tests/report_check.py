#!/usr/bin/env python3
"""Checks the reports of runs: report_check.py SCHEMA (REPORT.JSON [JUNIT.XML])...

report.json must follow the schema and agree with itself, and the junit.xml behind it
must say the same. Exit status 0 when all is well; otherwise 1 with the first fault.
"""

import json
import sys
import xml.etree.ElementTree

import jsonschema


class Fault(Exception):
    """Something in a report that is not as it should be."""


def expect(condition, what):
    if not condition:
        raise Fault(what)


def unique_members(pairs):
    """An object of which no member comes twice, which json.loads would hide."""
    members = dict(pairs)
    expect(len(members) == len(pairs), "an object names a member twice")
    return members


def check_model(model, boundaries, shard):
    name = model["name"]
    count = len(model["operations"])
    for index, operation in enumerate(model["operations"]):
        expect(operation["index"] == index, f"{name}: operation {index} has another index")
        expect(operation["boundary"] < boundaries, f"{name}: operation {index} is too late")
    for violation in model["violations"]:
        first, last = violation["boundary"]
        expect(first <= last < boundaries, f"{name}: {violation['id']}: boundaries")
        for index in violation["lost"] + violation["kept"]:
            expect(index < count, f"{name}: {violation['id']}: operation {index}")
    depths = model["nested"]["depths"]
    for number, depth in enumerate(depths):
        expect(depth["cuts"] == number + 1, f"{name}: depth {number + 1}")
        failing = any(len(v["recovery_cuts"]) == depth["cuts"] for v in model["violations"])
        expect(failing == (depth["rejected"] > 0), f"{name}: {depth['cuts']} cuts: rejected")
    if model["violations"]:
        expect(model["verdict"] == "fail", f"{name}: verdict with violations")
    elif not model["exhaustive"]:
        expected = "shard-pass" if shard and model["complete"] else "incomplete"
        expect(model["verdict"] == expected, f"{name}: verdict without coverage")
    if shard or model["bounded"] or model["audit"]["mismatches"] > 0:
        expect(not model["exhaustive"], f"{name}: exhaustive although it cannot be")
    expect(model["complete"] or not model["exhaustive"], f"{name}: exhaustive, not complete")


def check_json(report):
    boundaries = len(report["matrix"])
    names = [model["name"] for model in report["models"]]
    for number, row in enumerate(report["matrix"]):
        expect(row["boundary"] == number, f"row {number} has another boundary")
        expect((row["call"] is None) == (number == 0), f"row {number}: call")
        expect([cell["model"] for cell in row["cells"]] == names, f"row {number}: models")
    for model in report["models"]:
        check_model(model, boundaries, report["shard"])
    verdicts = {model["verdict"] for model in report["models"]}
    verdicts |= {fault["verdict"] for fault in report["faults"]}
    expect(("fail" in verdicts) == (report["verdict"] == "fail"), "verdict of the run")
    if report["verdict"] == "pass":
        expect(verdicts <= {"pass"}, "pass although a model did not")
        expect(report["trace"]["complete"], "pass although something was not seen")
    if report["verdict"] in ("shard-pass", "bounded"):
        expect(verdicts <= {"pass", "shard-pass", "incomplete"}, "verdict of the run")
    expect((report["verdict"] == "shard-pass") <= bool(report["shard"]), "pass of no shard")


def check_junit(report, root):
    expect(root.tag == "testsuites", "junit: root element")
    suites = list(root)
    if report["trace"]["unobserved"]:
        expect(suites.pop().get("name") == "coverage", "junit: no suite for coverage")
    if report["faults"]:
        faults = suites.pop()
        expect(faults.get("name") == "faults", "junit: no suite for faults")
        expect(len(faults.findall("testcase")) == len(report["faults"]), "junit: cases of faults")
        failed = sum(fault["verdict"] == "fail" for fault in report["faults"])
        expect(len(faults.findall("testcase/failure")) == failed, "junit: failures of faults")
    expect(len(suites) == len(report["models"]), "junit: one suite for each model")
    shard = report["shard"]
    suffix = f" (shard {shard['index']} of {shard['count']})" if shard else ""
    for column, (suite, model) in enumerate(zip(suites, report["models"])):
        cases = suite.findall("testcase")
        name = suite.get("name")
        expect(name == model["name"] + suffix, f"junit: {name} is not {model['name']}{suffix}")
        nested = model["nested"]["asked"] != 0
        expect(len(cases) == len(report["matrix"]) + nested, f"junit: {name}: one case a boundary")
        expect(len({case.get("name") for case in cases}) == len(cases), f"junit: {name}: names")
        failures = suite.findall("testcase/failure")
        for number, (case, row) in enumerate(zip(cases, report["matrix"])):
            rejected = row["cells"][column]["violations"] > 0
            expect((case.find("failure") is not None) == rejected, f"junit: {name}: case {number}")
        expect(suite.get("tests") == str(len(cases)), f"junit: {name}: tests")
        expect(suite.get("failures") == str(len(failures)), f"junit: {name}: failures")
        skipped = suite.findall("testcase/skipped")
        expect(suite.get("skipped") == str(len(skipped)), f"junit: {name}: skipped")
        text = "\n".join(failure.text for failure in failures)
        for violation in model["violations"]:
            expect(f"crashmatrix replay {violation['id']} " in text, f"junit: {violation['id']}")


def check_run(validator, path, junit_path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file, object_pairs_hook=unique_members)
    validator.validate(report)
    check_json(report)
    if junit_path is not None:
        check_junit(report, xml.etree.ElementTree.parse(junit_path).getroot())


def main(arguments):
    if len(arguments) < 2 or arguments[1].endswith(".xml"):
        sys.exit(__doc__)
    with open(arguments[0], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path, following in zip(arguments[1:], arguments[2:] + [""]):
        if path.endswith(".xml"):
            continue
        try:
            check_run(validator, path, following if following.endswith(".xml") else None)
        except jsonschema.ValidationError as error:
            sys.exit(f"{path}: {error.json_path}: {error.message}")
        except (Fault, OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
            sys.exit(f"{path}: {error}")


main(sys.argv[1:])
