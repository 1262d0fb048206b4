"""The chat of chat.py on asyncio: `python chat_asyncio.py [PORT]`."""

import asyncio
import sys

from chat import add_chat

from sansocket.asyncio_backend import Server

io = Server()
add_chat(io)

port = int(sys.argv[1]) if sys.argv[1:] else 3000
asyncio.run(io.serve("127.0.0.1", port))
