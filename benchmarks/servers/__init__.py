"""The servers that are measured: programs that print READY and their port, and serve until killed.

All answer the same events: `echo` with the same event, `ack` with an acknowledgement, and
`broadcast` with an event to everyone. Arguments: `--ping-interval`, in seconds.
"""
