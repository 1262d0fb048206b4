"""The shared documents of document.py on asyncio: `python document_asyncio.py [PORT]`."""

import asyncio
import sys

from document import add_documents

from sansocket.asyncio_backend import Server

io = Server()
add_documents(io)

port = int(sys.argv[1]) if sys.argv[1:] else 3000
asyncio.run(io.serve("127.0.0.1", port))
