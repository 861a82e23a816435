"""`python -m soak`: the command, for whoever has the interpreter but not the script on the path."""

from soak.cli import main

main()
