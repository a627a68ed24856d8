"""The grammar of replies: wrappers, options, clauses and statements."""
