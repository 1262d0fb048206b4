"""How clients with `retries` get over the death of their server: nothing lost, order kept, and
how long it takes.

`python -m benchmarks.recovery` runs it and prints the figures; tests/clients holds what does not
depend on the machine.
"""
