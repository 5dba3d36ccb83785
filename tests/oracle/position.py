"""Displacement by search: the Fourier-shifted reference that looks most like the picture."""

import numpy as np
from scipy.optimize import minimize


def moved(plane, dy, dx):
    """The plane with its content dy pixels further down and dx to the right (periodic)."""
    fy, fx = np.fft.fftfreq(plane.shape[0])[:, None], np.fft.fftfreq(plane.shape[1])[None]
    turn = np.exp(-2j * np.pi * (fy * dy + fx * dx))
    return np.fft.ifft2(np.fft.fft2(plane) * turn).real


def offset(distorted, reference, start):
    """Smallest low-pass difference under a Hann window, found with Nelder and Mead's simplex."""
    h, w = distorted.shape
    window = np.outer(np.hanning(h + 2)[1:-1], np.hanning(w + 2)[1:-1])
    radius = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.fftfreq(w)[None])

    def cost(s):
        difference = np.fft.fft2((distorted - moved(reference, *s)) * window)
        return np.sum(np.abs(difference[(radius <= 0.1) & (radius > 0)]) ** 2)

    return minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-4}).x
