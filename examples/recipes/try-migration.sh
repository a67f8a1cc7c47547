#!/bin/sh
# A migration, tried on a throwaway cluster that has the real schema, before it meets the real one.
#
#   DATABASE=postgres://… try-migration.sh schema.sql migration.sql
set -eu
: "${DATABASE:?is the IRI of the database}" "${1:?is the schema}" "${2:?is the migration}"

# The throwaway cluster is the command's PGKIT_IRI, and so needs no naming.
pg-cluster run --seed "$1" -- pg-open -1 -f "$2"
pg-open "$DATABASE" -1 -f "$2"
