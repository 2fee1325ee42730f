#!/bin/sh
# Replaces the configuration by way of a temporary file.
set -e
echo "colour = green" >config.tmp
sync config.tmp
mv config.tmp config
sync .
echo saved
