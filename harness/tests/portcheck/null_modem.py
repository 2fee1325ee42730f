#!/usr/bin/env python3
"""Two serial lines, connected to each other: null_modem.py ONE OTHER (links to be made)."""

import os
import pty
import select
import sys
import tty

ends = {}
for name in sys.argv[1:3]:
    master, slave = pty.openpty()  # the slave stays open, so that the line outlives its users
    tty.setraw(slave)
    ends[master] = None
    os.symlink(os.ttyname(slave), name + ".new")
    os.rename(name + ".new", name)
one, other = ends
ends = {one: other, other: one}
while True:
    for master in select.select(list(ends), [], [])[0]:
        os.write(ends[master], os.read(master, 4096))
