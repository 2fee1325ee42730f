#!/usr/bin/env python3
"""A board that is made up: speaks the lines of portcheck, and does wrong what it is told to.

board.py DISK [--stdout | --serial DEVICE] [--lose N] [--torn] [--noise P] [--uuid U]
              [--refuse | --unsupported] [--run HEX] [--other-run]

DISK is the file that holds the version; what is killed keeps it. Connects to
127.0.0.1:$PORTCHECK_PORT and waits for the word "run", except with --stdout, which only
talks, by $PORTCHECK_RUN and $PORTCHECK_CYCLE.
"""

import argparse
import os
import random
import re
import socket
import sys
import time

TABLE = []
for index in range(256):
    for _ in range(8):
        index = (index >> 1) ^ (0x82F63B78 if index & 1 else 0)
    TABLE.append(index)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Board:
    def __init__(self, options):
        self.options = options
        self.sequence = 0
        self.random = random.Random(f"{options.run}/{options.cycle}")
        self.run, self.cycle = options.run, options.cycle
        if options.stdout:
            self.out, self.input = 1, None
        elif options.serial:
            self.out = self.input = os.open(options.serial, os.O_RDWR | os.O_NOCTTY)
        else:
            self.link = socket.create_connection(("127.0.0.1", os.environ["PORTCHECK_PORT"]))
            self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.out = self.input = self.link.fileno()

    def send(self, data):
        """In portions of chance, with boot messages, and changed, if there is noise."""
        if self.options.noise == 0:
            os.write(self.out, data)
            return
        if self.random.random() < self.options.noise:
            data = bytearray(data)
            place = self.random.randrange(len(data))
            if self.random.random() < 0.5:
                data[place] ^= 1 << self.random.randrange(8)
            else:
                del data[place:]
        if self.random.random() < 0.3:
            data = b"[    0.42] usb 1-1: new device\r\n" + data
        middle = self.random.randrange(len(data) + 1)
        for part in (data[:middle], data[middle:]):
            os.write(self.out, part)
            time.sleep(0.001)

    def say(self, words):
        text = f"@pc {self.run} {self.sequence} {words}".encode()
        self.sequence += 1
        self.send(text + b" *%08x\n" % crc32c(text))

    def wait_for_run(self):
        heard = b""
        while True:
            heard += os.read(self.input, 4096)
            found = re.findall(rb"@pc \w+ \d+ run (\w+) cycle=(\d+) commits=0 \*\w+\n", heard)
            if found:
                self.run, self.cycle = (word.decode() for word in found[-1])
                return

    def store(self, version):
        with open(self.options.disk + ".tmp", "w", encoding="ascii") as file:
            file.write(str(version))
        os.rename(self.options.disk + ".tmp", self.options.disk)

    def find(self):
        """What is on the disk, less what it loses."""
        if not os.path.exists(self.options.disk):
            self.store(0)
            self.say("canary canary-0 ok")
            self.say("found version=0 point=rename created=1")
            self.say("verified version=0 ok")
            return 0
        with open(self.options.disk, encoding="ascii") as file:
            version = max(0, int(file.read()) - self.options.lose)
        self.say("canary canary-0 ok")
        self.say(f"found version={version} point=rename")
        self.say(f"verified version={version} ok")
        return version

    def live(self):
        if not self.options.stdout:
            self.wait_for_run()
        if self.options.other_run:
            self.run = "deadbeef"
        self.say(f"hello program=board.py protocol=1 cycle={self.cycle}")
        self.say(f"target fs=ext4 device=179:2 uuid={self.options.uuid} path=/data "
                 "source=/dev/mmcblk0p2 options=rw")
        if self.options.refuse or self.options.unsupported:
            self.say("refused " + ("unsupported=1 reason=vfat" if self.options.unsupported
                                   else "reason=another%20device"))
            return
        if self.options.torn and os.path.exists(self.options.disk):
            self.say("found torn=1 reason=empty")
            self.say("bye commits=0")
            return
        version = self.find()
        while True:
            version += 1
            self.say(f"committing {version}")
            self.store(version)
            self.say(f"committed {version}")
            time.sleep(0.002)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("disk")
    parser.add_argument("--stdout", action="store_true")
    parser.add_argument("--serial")
    parser.add_argument("--lose", type=int, default=0)
    parser.add_argument("--torn", action="store_true")
    parser.add_argument("--noise", type=float, default=0)
    parser.add_argument("--uuid", default="u1")
    parser.add_argument("--refuse", action="store_true")
    parser.add_argument("--unsupported", action="store_true")
    parser.add_argument("--other-run", action="store_true")
    parser.add_argument("--run", default=os.environ.get("PORTCHECK_RUN", ""))
    parser.add_argument("--cycle", default=os.environ.get("PORTCHECK_CYCLE", ""))
    try:
        Board(parser.parse_args()).live()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)


if __name__ == "__main__":
    main()
