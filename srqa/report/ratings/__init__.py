"""Ratings on paper: a methods paragraph, figures, and a folder with all results."""
