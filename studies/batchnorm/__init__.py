"""Batch normalisation: EDSR's block with and without it, at equal steps, from several seeds.

    python -m studies.batchnorm --hr photographs/

Fidelity, memory and time of training, how the network answers to low contrast, and what it makes of
plain colours.
"""
