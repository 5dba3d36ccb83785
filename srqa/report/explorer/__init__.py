"""What the results explorer shows: a Run's table in columns, its pictures, and how it is served."""
