"""What a correlation of metrics with human scores looks like: page, tables, words."""
