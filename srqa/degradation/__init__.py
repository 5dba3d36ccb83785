"""Low-resolution inputs: Y = (X * H) down s + noise, compression, and second-order degradation."""
