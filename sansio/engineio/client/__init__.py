"""The client of Engine.IO: its session, its transports, what it asks its server over HTTP."""
