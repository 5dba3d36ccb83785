"""What alembic runs: the steps, on the connection that `srqa.study.database` gives."""

from alembic import context

from srqa.study.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
