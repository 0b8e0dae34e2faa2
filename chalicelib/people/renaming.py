"""A person's role under their new userid. Whoever is signed in stays so: the old row leads to the new one."""

from chalicelib.platform import audit, clock, storage
from chalicelib.platform.auth import NO_ROLE, UserItem
from chalicelib.platform.storage import Transaction
from chalicelib.platform.userids import fold


@storage.retrying("others keep changing this user")
def move(old: str, new: str) -> bool:
    """The role goes to the new id, unless it has one. Twice is once."""
    if fold(old) == new:  # rows of people have always been folded
        return False
    before, there = UserItem.find(old), UserItem.find(new)
    if before is not None and before.renamed_to == new:
        return False
    tx = Transaction()
    is_free = there is None or there.renamed_to is not None  # a userid may come back
    same = UserItem.version == there.version if there else UserItem.user.does_not_exist()
    if before is not None and before.status != NO_ROLE and is_free:
        kept = {name: getattr(before, name) for name in ("role", "scope", "status", "created_at")}
        tx.put(
            "new", UserItem(new, staff_id=new, version=int(there.version) + 1 if there else 1, **kept), same
        )
        audit.add(tx, "users.rename", old, {"staff_id": old}, {"staff_id": new})
    elif there is not None and is_free:
        tx.delete("new", UserItem(new), same)
    version = int(before.version) if before else 0
    alias = UserItem(
        old,
        staff_id=old,
        role="guide",
        status=NO_ROLE,
        renamed_to=new,
        version=version + 1,
        created_at=before.created_at if before else clock.iso(clock.now()),
    )
    tx.put("old", alias, UserItem.version == version if before else UserItem.user.does_not_exist())
    tx.commit()
    return False
