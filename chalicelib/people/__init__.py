"""People and keys: who may do what, in which stores; signing in to the console; the audit."""
