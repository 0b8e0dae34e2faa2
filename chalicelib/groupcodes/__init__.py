"""Live codes that lead into customer groups: groups fill in order, and the next is opened in time."""
