#!/usr/bin/python3 -I
"""Replaces a file as many Python programs do: NamedTemporaryFile, flush, fsync, replace."""
import os
import tempfile


def atomic_write(path, text):
    """The recipe of many answers and packages: the file is synced, its directory is not."""
    directory = os.path.dirname(os.path.abspath(path))
    with tempfile.NamedTemporaryFile("w", dir=directory, delete=False) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


atomic_write("config", "new\n" * 3000)
print("saved", flush=True)
