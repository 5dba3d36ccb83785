"""Synthetic against real: how far methods fall when inputs are not what they were trained on.

    python -m studies.synthetic --hr photographs/

The contents are made low-resolution in many ways, enlarged by several methods, and scored. What
each method loses against its own score on MATLAB's bicubic, content by content, is its fall.
"""
