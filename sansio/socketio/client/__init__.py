"""The client of Socket.IO: its attempts to connect, its sockets, what waits in either direction."""
