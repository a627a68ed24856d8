"""Policy tables: an agent compiled into what it does after every history."""
