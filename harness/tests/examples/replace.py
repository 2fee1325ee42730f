"""Replaces greeting.txt by way of a temporary file, then says so."""
import os
import sys

file = os.open("greeting.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(file, b"hello again\n")
os.fsync(file)
os.close(file)
os.rename("greeting.new", "greeting.txt")
if "repaired" in sys.argv:
    os.fsync(os.open(".", os.O_RDONLY))
os.write(1, b"saved\n")
