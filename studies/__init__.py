"""Studies: definitions with published data, and programs that put methods to the test."""
