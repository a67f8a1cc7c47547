#!/bin/sh
# What went wrong on a server: how often each code stands in its log, with its name.
# The log's log_line_prefix must have %e.
#
#   explain-log.sh /var/log/postgresql/postgresql-15-main.log
set -eu
: "${1:?is the log}"

pg-errcode filter --summary --quiet <"$1"
