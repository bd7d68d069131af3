"""The command line: parse, call, print. No decision about a lake is made here."""
