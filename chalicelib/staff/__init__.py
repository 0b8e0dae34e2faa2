"""Staff: the members of the corp who talk to customers."""
