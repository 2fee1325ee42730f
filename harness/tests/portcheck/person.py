#!/usr/bin/env python3
"""A person at a terminal: person.py HOST OPTIONS... runs portcheck-host there, and does
with ./off and ./on what it asks for. Prints what it printed, ends as it ended."""

import os
import pty
import re
import subprocess
import sys

child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
text, seen = "", 0
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:  # the terminal has no other end any more
        break
    if not part:
        break
    text += part.decode()
    for asked in re.finditer(r"(off|NOW), then press Enter\. |Switch the board on\. ", text):
        if asked.start() < seen:
            continue
        seen = asked.end()
        if "Enter" in asked[0]:
            subprocess.run(["./off"], check=True)
            os.write(terminal, b"\n")
        else:
            port = re.search(r"listening on port (\d+)", text)[1]
            subprocess.run(["./on"], check=True, env=dict(os.environ, PORTCHECK_PORT=port),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(text.replace("\r", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
