"""The SR zoo: cards, classical methods, networks, and running them on pictures of any size."""
