"""Run sureal on a table, quietly. Imported by tests only."""

import contextlib
import io
import warnings

import numpy as np


def run(name, table, ref=None, **options):
    """The result of one of sureal's models on (stimuli, observers[, repetitions])."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sureal import subjective_model
        from sureal.dataset_reader import RawDatasetReader

        cube = np.asarray(table, float)
        cube = cube[:, :, None] if cube.ndim == 2 else cube
        kind = type("Dataset", (), {})
        kind.dataset_name, kind.ref_score = "test", 5.0
        kind.ref_videos = [{"content_id": 0, "path": str(ref)}]
        kind.dis_videos = [
            {
                "asset_id": j,
                "content_id": 0,
                "path": str(j),
                "os": {
                    f"{i:03}": [float(v) for v in votes if not np.isnan(v)]
                    for i, votes in enumerate(row)
                    if not np.isnan(votes).all()
                },
            }
            for j, row in enumerate(cube)
        ]
        return getattr(subjective_model, name)(RawDatasetReader(kind)).run_modeling(**options)
