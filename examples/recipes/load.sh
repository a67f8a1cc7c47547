#!/bin/sh
# The rows of a CSV file with a line of names into a table. What the server refuses goes into the second
# file, with the rest stored: the status is then 3.
#
#   DATABASE=postgres://… load.sh people.csv refused.csv
set -eu
: "${DATABASE:?is the IRI of the database}" "${1:?is the file to read}" "${2:?is for refused rows}"

# The server's parameters, not the shell's.
# shellcheck disable=SC2016
pg-open --each "$1" --rejects "$2" "$DATABASE" \
  'INSERT INTO people (id, name) VALUES ($1, $2)'
