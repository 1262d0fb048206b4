"""The chat of chat.py on Trio: `python chat_trio.py [PORT]`."""

import sys

import trio
from chat import add_chat

from sansocket.trio_backend import Server

io = Server()
add_chat(io)

port = int(sys.argv[1]) if sys.argv[1:] else 3000
trio.run(io.serve, "127.0.0.1", port)
