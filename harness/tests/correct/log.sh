#!/bin/sh
# Appends the records of the set-up; another process than the writer syncs.
set -e
for record in record-1 record-2; do
    cat "$record" >>log
    sync log
    echo saved
done
