"""The whole life of a pgserver: pgserver_life.py DIRECTORY"""

import shutil
import sys

import pgserver

shutil.rmtree(sys.argv[1], ignore_errors=True)
with pgserver.get_server(sys.argv[1]) as server:
    print(server.psql("select 1;"))
shutil.rmtree(sys.argv[1], ignore_errors=True)
