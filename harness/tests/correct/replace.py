"""Replaces the configuration by way of a temporary file."""
import os
import tempfile

with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as file:
    file.write("colour = green\n")
    file.flush()
    os.fsync(file.fileno())
os.replace(file.name, "config")
directory = os.open(".", os.O_RDONLY)
os.fsync(directory)
os.close(directory)
print("saved", flush=True)
