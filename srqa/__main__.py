"""`python -m srqa` is the same as `srqa`."""

from srqa.cli import main

main()
