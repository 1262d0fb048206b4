"""The benchmark: what a message costs here and elsewhere, side by side on one machine.

`sansocket bench` runs it, and `make bench` installs first what it needs. It is part of the
repository, not of the distribution.
"""
