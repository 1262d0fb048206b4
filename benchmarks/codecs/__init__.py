"""Encoding and decoding alone, of one packet: here, in npm's parser, and in python-socketio.

The last line that each program prints is JSON: the seconds of CPU for one packet, by what is done
with it.
"""
