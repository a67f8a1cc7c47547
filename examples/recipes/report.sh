#!/bin/sh
# A report as CSV. The file is replaced when all of it has been written, and not before: a full disk, a
# lost connection or a failing statement leaves yesterday's.
#
#   DATABASE=postgres://… REPORT=orders.csv report.sh
set -eu
: "${DATABASE:?is the IRI of the database}" "${REPORT:?is the file to write}"

pg-open --read-only --timeout 10m --format csv -o "$REPORT" "$DATABASE" \
  'SELECT id, total FROM orders ORDER BY id'
