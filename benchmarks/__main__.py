"""``make bench``: the table of speeds, in one run.

    python -m benchmarks [--without-sahi] [--sahi-weights FILE.pt] [--sahi-python PYTHON]

The others are longer and run by name: ``benchmarks.ledger``, ``benchmarks.loop``,
``benchmarks.registration``, ``benchmarks.vision_intervals``.
"""

from benchmarks import vision_speed

vision_speed.main()
