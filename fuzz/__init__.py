"""Fuzz targets: one for each decoder, for a connection of either side, and for a client.

`python -m fuzz NAME` runs one with atheris until it finds something; what follows the name goes to
libFuzzer (`-runs=100000`, `-max_total_time=60`). Each module begins with the sentence that has to
hold for every input, and its `one_input` raises when it does not. `corpus/NAME/` has the inputs to
begin with.
"""
