# The few words a newcomer types. Each calls a script in scripts/, which can also be run by itself.
#
# PREFIX and DESTDIR are install's; V=1 makes test print every test.

PREFIX ?= /usr/local
DESTDIR ?=
export PREFIX DESTDIR V

.PHONY: help demo test check docs bench fuzz roundtrips soak install uninstall deb clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo        build, start a throwaway cluster, show all five programs at work'
	@echo 'make test        every test (make test V=1 prints each; scripts/test FILTER runs some)'
	@echo 'make check       floors, doors, linkage, format, documentation'
	@echo 'make docs        build the documentation, and try its examples'
	@echo 'make bench       compare with psql and other drivers for half an hour, and fail where a limit is missed'
	@echo 'make fuzz        every codec of values against bytes that no server sends, a minute each'
	@echo 'make roundtrips  10,000 values of every type of every server, both ways'
	@echo 'make soak        kill clusters and pg-listen over and over, load pg-listen for ten minutes, and'
	@echo '                 a pool while its server restarts, under the thread sanitizer as well'
	@echo 'make install     put programs, manual pages and completions into PREFIX=$(PREFIX) (DESTDIR is honoured)'
	@echo 'make uninstall   take them out again'
	@echo 'make deb         make a Debian package of them'
	@echo 'make clean       remove what was built'

demo:
	@scripts/setup demo
	@scripts/build release
	@scripts/demo

test:
	@scripts/setup test
	@scripts/test

check:
	@scripts/setup demo
	@scripts/check

docs:
	@scripts/setup demo
	@scripts/build release
	@scripts/docs
	@scripts/snippets --outside

bench:
	@scripts/setup bench
	@scripts/build release
	@scripts/bench-all

fuzz:
	@scripts/setup test
	@scripts/fuzz

roundtrips:
	@scripts/setup test
	@scripts/roundtrips

soak:
	@scripts/setup test
	@scripts/soak

install:
	@scripts/install

uninstall:
	@scripts/install --remove

deb:
	@scripts/setup build
	@scripts/deb

clean:
	@rm -rf "$$(scripts/build path scratch)"
