"""Steps from one version of a study's tables to the next (alembic)."""
