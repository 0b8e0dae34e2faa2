"""A corp's tags at WeCom."""

from typing import Any

from chalicelib.wecom.errors import WeComError


class CorpTags:
    """WeCom's tags: id → [group's name, order, {tag_id: [name, order]}]. `killed`: the call that we die behind."""

    def __init__(self) -> None:
        self.groups: dict[str, list[Any]] = {}
        self.killed: str | None = None
        self.numbered = 0

    def _die(self, call: str) -> None:
        if self.killed == call:
            self.killed = None
            raise KeyboardInterrupt

    def _id(self) -> str:
        self.numbered += 1
        return f"et{self.numbered}"

    def get_corp_tag_list(self) -> list[dict[str, Any]]:
        return [
            {
                "group_id": group_id, "group_name": name, "order": order,
                "tag": [{"id": i, "name": n, "order": o} for i, (n, o) in tags.items()],
            }
            for group_id, (name, order, tags) in self.groups.items()
        ]  # fmt: skip

    def add_corp_tag(
        self, name: str, names: Any, *, group_id: str | None = None, order: int = 0, orders: Any = ()
    ) -> dict[str, Any]:
        group_id = (
            group_id or next((i for i, g in self.groups.items() if g[0] == name), None) or f"g{self._id()}"
        )
        group = self.groups.setdefault(group_id, [name, order, {}])
        if set(names) & {tag[0] for tag in group[2].values()}:
            raise WeComError("add_corp_tag", 40071)
        group[2].update({self._id(): [n, o] for n, o in zip(names, orders, strict=True)})
        self._die("add")
        return {"group_id": group_id}

    def edit_corp_tag(self, id_: str, *, name: str | None = None, order: int | None = None) -> None:
        thing = self.groups.get(id_) or next(g[2][id_] for g in self.groups.values() if id_ in g[2])
        thing[0], thing[1] = name or thing[0], thing[1] if order is None else order
        self._die("edit")

    def del_corp_tag(self, tag_ids: Any = (), group_ids: Any = ()) -> None:
        for group_id, group in list(self.groups.items()):
            group[2] = {i: tag for i, tag in group[2].items() if i not in tag_ids}
            if group_id in group_ids or not group[2]:
                del self.groups[group_id]
        self._die("del")
