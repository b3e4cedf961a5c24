"""Runs the migrations over the connection that it is given; Alembic reads this file by its name."""

from alembic import context

# The caller's transaction is open and holds all of it: SQLite, too, undoes a change of tables that was not committed.
context.configure(connection=context.config.attributes["connection"], render_as_batch=True, transactional_ddl=True)
context.run_migrations()
