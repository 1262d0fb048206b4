"""A guest of the chat, on asyncio: `python client_asyncio.py [PORT [NAME]]`.

It joins the room "lobby" of chat_trio.py or chat_asyncio.py, also after the connection was lost,
greets whoever joins, prints what is said, and leaves when somebody says "bye".
"""

import asyncio
import sys

from sansocket.asyncio_backend import Client

port = int(sys.argv[1]) if sys.argv[1:] else 3000
name = sys.argv[2] if sys.argv[2:] else "Guest"


async def main() -> None:
    async with Client(f"http://127.0.0.1:{port}", timeout=5) as client:
        socket = client.socket(auth={"name": name})

        @socket.on("connect")
        async def join() -> None:
            answer = await socket.call("join", "lobby", timeout=5)
            print("here:", *answer["value"], flush=True)

        @socket.on("disconnect")
        def lost(reason: str) -> None:
            print("lost:", reason, flush=True)

        @socket.on("joined")
        def greet(room: str, who: str) -> None:
            socket.emit("message", room, f"hello, {who}")

        socket.connect()
        await socket.until_connected()
        async for event in socket:
            if event.name == "message":
                _, who, text = event.args
                print(f"{who}: {text}", flush=True)
                if text == "bye":
                    break


asyncio.run(main())
