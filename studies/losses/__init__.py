"""Losses: one network, trained to the same point, then continued with each loss.

    python -m studies.losses --hr photographs/

What content, texture and adversarial terms buy and cost, and whether L2 is smoother than L1.
"""
