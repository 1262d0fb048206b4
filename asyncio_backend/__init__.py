"""Socket.IO on asyncio: the backend of a later release."""
