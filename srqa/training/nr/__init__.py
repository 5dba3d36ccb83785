"""Training the head of srqa-nr, the no-reference score.

    photographs ─ places ─ outputs, artefacts, guards ─ samples ─ store ─ pairs ─ fitting ─ report

`srqa.training.nr.training.train` is all of it in one call.
"""
