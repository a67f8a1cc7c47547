#!/bin/sh
# Waits until somebody says NOTIFY loaded, for ten minutes at most, then goes on with the payload.
#
#   DATABASE=postgres://… wait-for-event.sh
set -eu
: "${DATABASE:?is the IRI of the database}"

batch=$(pg-listen "$DATABASE" loaded --count 1 --timeout 10m --format payload)
echo "going on with $batch"
