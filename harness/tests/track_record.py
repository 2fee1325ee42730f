"""Proves the rows of track-record.json again.

usage: track_record.py BIN DATA REPORTS [--quick] [--table FILE] [--document FILE] [TARGET...]

Runs each target (all, or those named; with --quick those that are marked so, under the
models that the data names for that) under the models of its rows, and prints a table. Each model must show the findings of its row, all of
them and no others, and be explored as far as the row says: exhaustively, or, where it says
"bounded", within the budget of the program. REPORTS/TARGET has what crashmatrix run
--report leaves, for replay. --table writes the table of TRACK-RECORD.md, --document compares that
file with the data, but for what was measured. Exit status: 0 as recorded, 1 not, 2 wrong usage.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

WIDTHS = (22, 20, 8, 22, 7, 8)


def line(*cells):
    return "  ".join(str(cell).ljust(width) for cell, width in zip(cells, WIDTHS)).rstrip()


def installed_version(package):
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                           capture_output=True, text=True, check=False)
    return found.stdout if found.returncode == 0 else "?"


def run_target(tool, program, folder):
    """Returns the exit status and what was said."""
    # That the machine is busy is no finding.
    command = [tool, "run", "--target", program["target"], "--report", folder, "--timeout", "60s"]
    for row in program["rows"]:
        for model in row["models"]:
            command += ["--model", model]
    for kind in program.get("accept", []):
        command += ["--accept", kind]
    if "budget" in program:
        command += ["--budget", str(program["budget"]), "--accept", "budget"]
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stderr or done.stdout).strip()


def states(model):
    covered, legal = model["states"]["covered"], model["states"]["legal"]
    return legal if covered == legal else f"{covered} of {legal}"


def differences(row, model):
    """In words, what is not as the row says."""
    wanted = set(row["findings"])
    found = {violation["reason"] for violation in model["violations"]}
    words = [f"not found: {reason}" for reason in sorted(wanted - found)]
    words += [f"new: {reason}" for reason in sorted(found - wanted)]
    if model["exhaustive"] == row.get("bounded", False):
        words.append("exhaustive" if model["exhaustive"] else "not exhaustive")
    return words


def judge(program, report, status, folder):
    """Prints a line for each model, and the differences; returns how many there are."""
    rows = {model: row for row in program["rows"] for model in row["models"]}
    seconds = {entry["name"]: entry["seconds"] for entry in report["timing"]["models"]}
    wrong = []
    for model in report["models"]:
        name = model["name"]
        print(line("", name, model["verdict"], states(model), model["runs"],
                   f"{seconds[name]:.2f}"))
        for violation in model["violations"]:
            print(f"    {violation['reason']}: {violation['id']}")
        wrong += [f"{name}: {words}" for words in differences(rows[name], model)]
    expected = 1 if any(row["findings"] for row in program["rows"]) else 0
    if status != expected:
        wrong.append(f"exit status {status}, verdict {report['verdict']}: see {folder}")
    for words in wrong:
        print(f"    NOT AS RECORDED: {words}")
    return len(wrong)


def prove(tool, program, reports):
    """Returns "ok", "skipped" or "wrong", and the report or None."""
    target = program["target"]
    version = installed_version(program["package"])
    print(line(target, f"{program['package']} {version}"))
    if version not in ("?", program["version"]):
        print(f"    another version than the recorded one, {program['version']}")
    folder = os.path.join(reports, target)
    status, text = run_target(tool, program, folder)
    if status == 2 and "which is not installed" in text:
        print(f"    skipped: {text}")
        return "skipped", None
    if status not in (0, 1):
        print(f"    NOT AS RECORDED: exit status {status}: {text}")
        return "wrong", None
    with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
        report = json.load(file)
    return ("wrong" if judge(program, report, status, folder) else "ok"), report


def span(numbers, form):
    """The smallest and the largest."""
    low, high = form(min(numbers)), form(max(numbers))
    return low if low == high else f"{low} to {high}"


def compact(number):
    return str(number) if number < 10 ** 7 else f"{number:.1e}"


def row_head(program, row):
    """Of a row of the table, what the data says: all but what was measured."""
    return " | ".join((f"| {program['target']}", program["version"], ", ".join(row["models"]),
                       "<br>".join(row["findings"]) or "none")) + " | "


def missing_rows(programs, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return [row_head(program, row) for program in programs for row in program["rows"]
            if row_head(program, row) not in text]


def table_rows(program, report):
    """The rows of the table of TRACK-RECORD.md."""
    models = {model["name"]: model for model in report["models"]}
    seconds = {entry["name"]: entry["seconds"] for entry in report["timing"]["models"]}
    for row in program["rows"]:
        here = [models[name] for name in row["models"]]
        coverage = span([int(model["states"]["legal"]) for model in here], compact)
        if row.get("bounded", False):
            coverage = "bounded, of " + coverage
        ids = here[0]["violations"]
        yield row_head(program, row) + " | ".join((
            "<br>".join(f"`{v['id']}`" for v in ids) or "-", coverage,
            span([model["runs"] for model in here], str),
            span([seconds[name] for name in row["models"]], "{:.2f}".format))) + " |"


def write_table(path, proven):
    with open(path, "w", encoding="utf-8") as file:
        file.write("| target | version | models | findings | replay id (first model) | states "
                   "| runs | seconds |\n|---|---|---|---|---|---|---|---|\n")
        for program, report in proven:
            file.writelines(row + "\n" for row in table_rows(program, report))


def arguments():
    parser = argparse.ArgumentParser(prog="track_record.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "data", "reports"):
        parser.add_argument(name)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--table", metavar="FILE")
    parser.add_argument("--document", metavar="FILE")
    parser.add_argument("targets", nargs="*")
    return parser.parse_intermixed_args()


def quick_rows(program, models):
    """The same program with fewer rows."""
    rows = [dict(row, models=[name for name in row["models"] if name in models])
            for row in program["rows"]]
    return dict(program, rows=[row for row in rows if row["models"]])


def main():
    given = arguments()
    with open(given.data, encoding="utf-8") as file:
        data = json.load(file)
    programs = data["programs"]
    unknown = set(given.targets) - {program["target"] for program in programs}
    if unknown:
        print(f"track_record.py: not in {given.data}: {' '.join(sorted(unknown))}",
              file=sys.stderr)
        return 2
    programs = [program for program in programs
                if not given.targets or program["target"] in given.targets]
    missing = missing_rows(programs, given.document) if given.document else []
    for head in missing:
        print(f"{given.document}: NOT AS RECORDED: no row {head}")
    if given.quick:
        programs = [quick_rows(program, data["quick"]) for program in programs
                    if program.get("quick", False)]
    os.makedirs(given.reports, exist_ok=True)
    print(line("target", "model", "verdict", "states", "runs", "seconds"))
    outcomes, proven = [], []
    for program in programs:
        outcome, report = prove(os.path.join(given.bin, "crashmatrix"), program, given.reports)
        outcomes.append(outcome)
        proven += [(program, report)] if report else []
        sys.stdout.flush()
    if given.table:
        write_table(given.table, proven)
    print(f"{len(programs)} programs: {outcomes.count('ok')} as recorded, "
          f"{outcomes.count('wrong')} not, {outcomes.count('skipped')} skipped")
    return 1 if missing or "wrong" in outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
