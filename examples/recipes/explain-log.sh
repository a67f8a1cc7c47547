#!/bin/sh
# What went wrong on a server: how often each code stands in its log, with its name.
# The server's log_line_prefix must have %e.
#
#   explain-log.sh /var/log/postgresql/postgresql-15-main.log '%m [%p] %e '
set -eu
: "${1:?is the log}" "${2:?is its log_line_prefix}"

pg-errcode filter --prefix "$2" --summary --quiet <"$1"
