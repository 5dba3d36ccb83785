"""Training networks for super-resolution: data, the loop, checkpoints, a log that others read.

`srqa.training.loop.train` is all of it in one call. A step's data hang on the seed and the step
alone, so a training that was killed goes on as if nothing had happened.
"""
