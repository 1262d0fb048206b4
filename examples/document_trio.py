"""The shared documents of document.py on Trio: `python document_trio.py [PORT]`."""

import sys

import trio
from document import add_documents

from sansocket.trio_backend import Server

io = Server()
add_documents(io)

port = int(sys.argv[1]) if sys.argv[1:] else 3000
trio.run(io.serve, "127.0.0.1", port)
