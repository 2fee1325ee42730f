#!/usr/bin/env python3
"""portcheck run, verify and selftest, as a host and a person use them.

Usage: test_portcheck_run.py PORTCHECK MUTANTS [KILLS]
"""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from urllib.parse import unquote

portcheck, mutants = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 30
PATIENCE = 60  # seconds, for what takes milliseconds on a machine that is not busy
failures = []


def check(what, actual, expected=True):
    if actual != expected:
        failures.append(f"{what}: is {actual!r}, should be {expected!r}")
        print("FAILED", failures[-1], file=sys.stderr)


# ---- Lines, written from the description and not from the C code ----

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def encode(run, sequence, *words):
    text = f"@pc {run:08x} {sequence} " + " ".join(words)
    return f"{text} *{crc32c(text.encode()):08x}\n".encode()


class Line:
    def __init__(self, text):
        body, _, crc = text.rstrip("\r\n").rpartition(" *")
        check(f"CRC32C of {text!r}", f"{crc32c(body.encode()):08x}", crc)
        mark, run, sequence, self.word, *arguments = body.split(" ")
        check(f"mark of {text!r}", mark, "@pc")
        self.run, self.sequence = int(run, 16), int(sequence)
        self.words = [unquote(word) for word in arguments]
        self.values = dict(word.split("=", 1) for word in self.words if "=" in word)


class Board:
    """What arrives from a board, line by line."""

    def __init__(self, read):
        self.read, self.rest, self.lines = read, b"", []

    def next(self):
        while b"\n" not in self.rest:
            data = self.read()
            if not data:
                return None
            self.rest += data
        text, self.rest = self.rest.split(b"\n", 1)
        self.lines.append(Line(text.decode()))
        return self.lines[-1]

    def until(self, word, count=1):
        while (line := self.next()) is not None:
            if line.word == word:
                count -= 1
                if count == 0:
                    return line
        check(f"'{word}' arrives", "the end")
        return None

    def all(self):
        while self.next() is not None:
            pass
        return self.lines


def words(lines, *which):
    return [line for line in lines if line.word in which]


def run_once(directory, *options, program=portcheck, status=0):
    result = subprocess.run([program, "run", directory, "--ack", "stdout", *options],
                            capture_output=True, text=True, timeout=PATIENCE)
    check(f"exit status of run {options}: {result.stderr}", result.returncode, status)
    return [Line(line) for line in result.stdout.splitlines()]


def numbers(lines, word):
    return [int(line.words[0]) for line in words(lines, word)]


# ---- Wrong usage ----

def usage(directory):
    for status, pattern, *arguments in (
            (0, "Usage: portcheck", "--help"), (0, "Usage: portcheck", "run", "--help"),
            (0, r"^portcheck \d", "--version"), (2, "expected a command",),
            (2, "no such command: frob", "frob"), (2, "expected one directory", "probe"),
            (2, "expected one directory", "verify", directory, "x"),
            (2, "unrecognized option", "run", directory, "--frob"),
            (2, "expected --ack", "run", directory),
            (2, "--ack: 'udp:x' is none of", "run", directory, "--ack", "udp:x"),
            (2, "'x' does not end in a port", "run", directory, "--ack", "tcp:x"),
            (2, "'x:0' does not end in a port", "run", directory, "--ack", "tcp:x:0"),
            (2, "'x:65536' does not end in a port", "run", directory, "--ack", "tcp:x:65536"),
            (2, "'localhost' is no address of digits", "run", directory, "--ack",
             "tcp:localhost:5555"),
            (2, "'::1' is no address of digits", "run", directory, "--ack", "tcp:::1:5555"),
            (2, "'' is no address of digits", "run", directory, "--ack", "tcp::5555"),
            (2, "--run takes", "run", directory, "--ack", "stdout", "--run", "123456789"),
            (2, "--run takes", "run", directory, "--ack", "stdout", "--run", "0X"),
            (2, "--cycle takes", "run", directory, "--ack", "stdout", "--cycle", "-1"),
            (2, "--files takes", "run", directory, "--ack", "stdout", "--files", "17"),
            (2, "--baud takes a rate", "run", directory, "--ack", "stdout", "--baud", "1"),
            (2, "--commit-point takes", "run", directory, "--ack", "stdout",
             "--commit-point", "both"),
            (2, "unrecognized option", "run", directory, "--mutant", "no-sync"),
            (2, "absolute path", "probe", "--root", "/x", "relative"),
            (3, "not there", "run", directory + "/not there", "--ack", "stdout", "--run", "1"),
            (3, "not there", "probe", directory + "/not there"),
            (3, "not there", "verify", directory + "/not there"),
            (3, "not there", "selftest", directory + "/not there"),
            (3, "no run has left", "verify", directory),
            (3, "nobody is there any more", "run", directory, "--ack", "stdout"),
            (3, "not a serial line", "run", directory, "--ack", "serial:/dev/null")):
        result = subprocess.run([portcheck, *arguments], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, timeout=PATIENCE)
        check(f"exit status of {arguments}", result.returncode, status)
        check(f"'{pattern}' for {arguments}",
              re.search(pattern, result.stdout + result.stderr) is not None)
    check("what wrong usage left", os.listdir(directory), [])


# ---- Standard output ----

def cycles(directory):
    first = run_once(directory, "--run", "a1", "--cycle", "7", "--commits", "20")
    check("runs", {line.run for line in first}, {0xA1})
    check("sequence", [line.sequence for line in first], list(range(len(first))))
    hello, target, found = (words(first, word)[0] for word in ("hello", "target", "found"))
    check("first line", first[0], hello)
    check("cycle", hello.values["cycle"], "7")
    check("protocol", hello.values["protocol"], "1")
    check("path", target.values["path"], directory)
    check("found", (found.values["version"], found.values.get("created")), ("1", "1"))
    check("committed", numbers(first, "committed"), list(range(2, 22)))
    check("committing", numbers(first, "committing"), list(range(2, 22)))
    check("canaries", [line.words[1] for line in words(first, "canary")], ["ok"] * 4)
    check("bye", words(first, "bye")[0].values["commits"], "20")
    rate = words(first, "rate")[-1].values
    check("rate", (rate["commits"], int(rate["microseconds"]) > 0), ("20", True))
    second = run_once(directory, "--run", "a1", "--cycle", "8", "--commits", "1", "--files", "16")
    found = words(second, "found")[0]
    check("found later", (found.values["version"], "created" in found.values), ("21", False))
    verified = words(second, "verified")
    check("verified", {line.words[1] for line in verified}, {"ok"})
    check("verified last", verified[-1].values["version"], "21")
    third = run_once(directory, "--run", "a1", "--commits", "1", "--files", "1")
    check("committed with fewer files", numbers(third, "committed"), [23])
    check("another run", words(run_once(directory, "--run", "a2", "--commits", "1"), "found")[0]
          .values["created"], "1")
    result = subprocess.run([portcheck, "verify", directory], capture_output=True, text=True,
                            timeout=PATIENCE)
    check("verify: " + result.stdout, result.returncode, 0)


def refusals(directory):
    for options in (["--expect-fs", "nofs"], ["--expect-device", "9999:1"],
                    ["--expect-device", "no-such-uuid"]):
        lines = run_once(directory, "--run", "1", "--commits", "1", *options, status=3)
        check(f"last with {options}", lines[-1].word, "refused")
        check(f"reason with {options}", "expected " + options[1] in lines[-1].values["reason"])
    check("what refusals left", os.listdir(directory), [])
    target = words(run_once(directory, "--run", "1", "--commits", "1"), "target")[0].values
    for device in (target["device"], target["source"]):
        lines = run_once(directory, "--run", "1", "--commits", "1", "--expect-fs", target["fs"],
                         "--expect-device", device)
        check(f"last with {device}", lines[-1].word, "bye")
    if json.loads(subprocess.run([portcheck, "probe", "--json", directory], capture_output=True,
                                 check=True).stdout)["commit_point"] == "slots":
        lines = run_once(directory, "--run", "3", "--commit-point", "rename", status=3)
        check("rename where it is not one step", lines[-1].values.get("unsupported"), "1")
    wrong_point = run_once(directory, "--run", "4", "--commits", "1", "--commit-point", "slots")
    check("slots wherever", words(wrong_point, "found")[0].values["point"], "slots")
    lines = run_once(directory, "--run", "4", "--commits", "1", "--commit-point", "rename",
                     status=3)
    check("the other commit point", lines[-1].word, "refused")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        if target_type(memory) == "tmpfs":
            lines = run_once(memory, "--run", "1", "--commits", "1", status=3)
            check("in memory", lines[-1].word, "refused")
            lines = run_once(memory, "--run", "1", "--commits", "1", "--expect-fs", "tmpfs")
            check("in memory, and meant", lines[-1].word, "bye")


def target_type(directory):
    lines = run_once(directory, "--run", "ffffffff", "--expect-fs", "nofs", status=3)
    return words(lines, "target")[0].values["fs"]


def other_directory(directory):
    """DIR is another one in the middle: nothing that went elsewhere is told."""
    process = subprocess.Popen([portcheck, "run", directory, "--ack", "stdout", "--run", "1"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    board = Board(lambda: os.read(process.stdout.fileno(), 4096))
    board.until("committed", 3)
    os.rename(directory, directory + ".away")
    os.mkdir(directory)
    lines = board.all()
    check("status where the directory changed", process.wait(PATIENCE), 3)
    check("last where the directory changed", lines[-1].word, "refused")
    check("after the refused commit", lines[-2].word, "committing")
    shutil.rmtree(directory + ".away")


def terminated(directory):
    process = subprocess.Popen([portcheck, "run", directory, "--ack", "stdout", "--run", "1"],
                               stdout=subprocess.PIPE)
    board = Board(lambda: os.read(process.stdout.fileno(), 4096))
    board.until("committed", 2)
    process.terminate()
    lines = board.all()
    check("status when told to end", process.wait(PATIENCE), 0)
    check("last when told to end", lines[-1].word, "bye")
    check("whole when told to end", numbers(lines, "committing"), numbers(lines, "committed"))


# ---- Damage ----

def damage(directory):
    run_once(directory, "--run", "1", "--commits", "12")
    folder = pathlib.Path(directory, "portcheck-00000001")

    def verify():
        return subprocess.run([portcheck, "verify", "--run", "1", directory],
                              capture_output=True, text=True, timeout=PATIENCE)

    def changed(path, line, word):
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        result = verify()
        check(f"verify with {path.name} changed", (result.returncode, "FAILED" in result.stdout),
              (1, True))
        lines = run_once(directory, "--run", "1", "--commits", "1", status=1)
        check(f"run with {path.name} changed", any(
            line in candidate.word and word in " ".join(candidate.words) for candidate in lines))
        path.write_bytes(before)
        return lines

    check("verify before", verify().returncode, 0)
    changed(folder / "canary-2", "canary", "canary-2 bad")
    files = sorted(folder.glob("db/lsm-*"))
    lines = changed(files[-3], "verified", "failed")
    check("goes on when an older version is damaged", lines[-1].word, "bye")
    files = sorted(folder.glob("db/lsm-*"))
    lines = changed(files[-1], "found", "torn=1")
    check("stops when the current version is damaged", words(lines, "committing", "bye"), [])
    check("verify after", verify().returncode, 0)
    (folder / "canary-0").unlink()
    check("verify without a canary", verify().returncode, 1)


def selftest(directory):
    for program in (portcheck, mutants):
        result = subprocess.run([program, "selftest", directory], capture_output=True, text=True,
                                timeout=PATIENCE)
        check(f"selftest: {result.stdout}{result.stderr}", result.returncode, 0)
        check("lines of selftest", set(re.findall(r"^\S+", result.stdout, re.M)), {"ok"})
    check("what selftest left", os.listdir(directory), [])


# ---- Serial line ----

def serial(directory):
    host, slave = pty.openpty()
    process = subprocess.Popen([portcheck, "run", directory, "--ack", "serial:" +
                                os.ttyname(slave), "--baud", "115200"])

    def read():
        ready = select.select([host], [], [], PATIENCE)[0]
        return os.read(host, 4096) if ready else b""

    board = Board(read)
    order = encode(0xBEEF, 0, "run", "0000beef", "cycle=4", "commits=0", "files=2")
    # Before the board has made it raw, the line would echo what is written.
    wait_until(lambda: termios.tcgetattr(slave)[3] & termios.ECHO == 0, "the line is raw")
    os.write(host, b"\r\nU-Boot 2023.04\r\n" + order[:20] + b"\n" + order.replace(b"4", b"5"))
    os.write(host, encode(0xBEEF, 0, "run", "0000dead", "cycle=1", "commits=0"))
    os.write(host, b"noise" + order + order)
    hello = board.until("hello")
    check("hello on the line", (hello.run, hello.values["cycle"]), (0xBEEF, "4"))
    again = board.until("hello")
    check("hello again", (again.run, again.values["cycle"]), (0xBEEF, "4"))
    check("found again", board.until("found").values["version"], "1")
    os.write(host, encode(0xDEAD, 1, "stop"))
    board.until("committed", 3)
    os.write(host, encode(0xBEEF, 1, "run", "0000beef", "cycle=5", "commits=0"))
    check("the next cycle", board.until("hello").values["cycle"], "5")
    check("found in it", int(board.until("found").values["version"]) >= 4)
    board.until("committed")
    os.write(host, encode(0xBEEF, 2, "stop"))
    board.until("bye")
    sequences = [line.sequence for line in board.lines]
    check("sequence on the line", sequences, list(range(len(sequences))))
    check("status on the line", process.wait(PATIENCE), 0)
    os.close(host)
    os.close(slave)


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            check(what, False)
            return
        time.sleep(0.01)


# ---- TCP ----

def tcp(directory):
    talk(directory, socket.create_server(("127.0.0.1", 0)), "127.0.0.1")


def tcp_ipv6(directory):
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as problem:
        print("skipped: no IPv6 here:", problem)
        return
    talk(directory, listener, "[::1%lo]")


def talk(directory, listener, address):
    listener.settimeout(PATIENCE)
    process = subprocess.Popen([portcheck, "run", directory, "--ack",
                                f"tcp:{address}:{listener.getsockname()[1]}"])
    sequences, committed = set(), []
    order = encode(0xCAFE, 0, "run", "0000cafe", "cycle=1", "commits=0")
    for round_number in range(3):
        connection = listener.accept()[0]
        connection.settimeout(PATIENCE)
        board = Board(lambda: connection.recv(4096))
        if round_number == 0:
            connection.sendall(order)
        board.until("committed", 3)
        check("run over TCP", {line.run for line in board.lines}, {0xCAFE})
        sequences |= {line.sequence for line in board.lines}
        committed += numbers(board.lines, "committed")
        if round_number < 2:
            connection.close()
    check("one board, not three", len(set(committed)), len(committed))
    check("it goes on where it was", committed, sorted(committed))
    connection.sendall(encode(0xCAFE, 1, "stop"))
    board.until("bye")
    check("status over TCP", process.wait(PATIENCE), 0)
    connection.close()
    listener.close()


# ---- Kills ----

def kills(directory):
    """The right protocol is never found wrong, whenever it is killed."""
    kill_often(directory, KILLS)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        if target_type(memory) == "tmpfs":
            kill_often(memory, KILLS, "--expect-fs", "tmpfs", "--commit-point", "rename")
            shutil.rmtree(os.path.join(memory, "portcheck-00000001"))
            kill_often(memory, KILLS, "--expect-fs", "tmpfs", "--commit-point", "slots")


def kill_often(directory, count, *options):
    acknowledged = begun = 1
    for cycle in range(count):
        process = subprocess.Popen([portcheck, "run", directory, "--ack", "stdout", "--run", "1",
                                    "--cycle", str(cycle), *options], stdout=subprocess.PIPE)
        board = Board(lambda: os.read(process.stdout.fileno(), 4096))
        found = board.until("found")
        if found is None:
            return
        version = int(found.values.get("version", -1))
        check(f"found after kill {cycle}, from {acknowledged} to {begun}",
              acknowledged <= version <= begun)
        # Not only where a line is sent: after so many commits, and a while that differs.
        board.until("committed", 1 + cycle % 3)
        time.sleep(cycle * 7 % 30 / 1000)
        process.send_signal(signal.SIGKILL)
        lines = board.all()
        process.wait(PATIENCE)
        check(f"verified after kill {cycle}",
              {line.words[1] for line in words(lines, "verified", "canary")}, {"ok"})
        acknowledged = max(numbers(lines, "committed") + [version])
        begun = max(numbers(lines, "committing") + [version])
    result = subprocess.run([portcheck, "verify", directory], capture_output=True, text=True,
                            timeout=PATIENCE)
    check("verify after all kills: " + result.stdout, result.returncode, 0)


# ---- Mutants ----

def mutant_words(directory):
    for word in ("no-sync", "no-file-sync", "no-directory-sync", "in-place",
                 "rename-no-sync-after"):
        lines = run_once(os.path.join(directory), "--run", "1", "--commits", "10", "--mutant", word,
                         "--commit-point", "rename", program=mutants)
        check(f"hello of {word}", lines[0].values["mutant"], word)
        check(f"point of {word}", words(lines, "found")[0].values["point"], "rename")
        check(f"without a cut {word} works", lines[-1].word, "bye")
        lines = run_once(directory, "--run", "1", "--commits", "1", program=mutants)
        check(f"after {word}", {line.words[1] for line in words(lines, "verified")}, {"ok"})
        shutil.rmtree(os.path.join(directory, "portcheck-00000001"))
    result = subprocess.run([mutants, "run", directory, "--ack", "stdout", "--mutant", "x"],
                            capture_output=True, text=True, timeout=PATIENCE)
    check("no such mutant", (result.returncode, "no such mutant" in result.stderr), (2, True))


def marks(directory):
    """The file system is known again, until it is made anew."""
    def targets(cycle):
        lines = run_once(directory, "--run", "2", "--cycle", str(cycle), "--commits", "1")
        return words(lines, "target")[0].values
    first, second = targets(1), targets(2)
    check("a mark is made", (first["mark"], first.get("marked")), ("00000002.1", "1"))
    check("a mark stays", (second["mark"], second.get("marked")), ("00000002.1", None))
    mark = os.path.join(directory, "portcheck-mark")
    for content in ("", "00000002.1", "\0" * 11):
        with open(mark, "w", encoding="ascii") as file:
            file.write(content)
        torn = targets(3)
        check(f"{content!r} is no mark", (torn["mark"], torn.get("marked")), ("00000002.3", "1"))
    os.remove(mark)
    run_once(directory, "--run", "2", "--expect-fs", "nofs", status=3)
    check("no mark on what is refused", os.path.exists(mark), False)


def clock(directory):
    """A board without a battery, whose clock starts anew with it."""
    last = 1
    for option in ((), ("--mutant", "clock-reset"), ("--mutant", "clock-reset"), ()):
        lines = run_once(directory, "--run", "1", "--commits", "3", *option, program=mutants)
        check(f"found with {option}", words(lines, "found")[0].values["version"], str(last))
        check(f"read back with {option}",
              {line.words[1] for line in words(lines, "verified", "canary")}, {"ok"})
        check(f"committed with {option}", numbers(lines, "committed"),
              [last + 1, last + 2, last + 3])
        last += 3


TESTS = [usage, cycles, refusals, other_directory, terminated, damage, selftest, serial, tcp, tcp_ipv6,
         kills, mutant_words, clock, marks]

for test in TESTS:
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "target")
        os.mkdir(path)
        before = len(failures)
        test(path)
        print("ok" if len(failures) == before else "FAILED", test.__name__, flush=True)
sys.exit(1 if failures else 0)
