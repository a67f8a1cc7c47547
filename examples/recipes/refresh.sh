#!/bin/sh
# One table of one server to another: all of it or nothing, and proven equal before it is committed.
#
#   SOURCE=postgres://… TARGET=postgres://… refresh.sh orders
set -eu
: "${SOURCE:?is the IRI to read from}" "${TARGET:?is the IRI to write to}" "${1:?is the table}"

pg-copy "$SOURCE" "$1" --to "$TARGET" --replace truncate --verify --summary json
