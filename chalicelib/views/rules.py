"""Who sees a shared view. Pure."""

from chalicelib.platform.principal import Principal, Scope


def is_shared_with(principal: Principal, owner: Scope) -> bool:
    """Whether what a colleague of that scope shared is for the principal.

    The whole corp's is for all: what is outside of their scope the list itself refuses. A scope's is for the
    same scope, and for who has none: a filter may hold a customer's name.
    """
    return owner == Scope() or principal.scope in (Scope(), owner)
