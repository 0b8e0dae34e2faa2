"""An SOP as the operator writes it (the contract's JSON). The door checks shapes, `rules.check` the sense."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import force_setattr

from chalicelib.platform.plain_text import tag_names

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+\Z")]
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", description="HH:MM, local")]
Duration = Annotated[str, Meta(min_length=2, max_length=32, description="ISO 8601, e.g. PT1H, P2D")]
Url = Annotated[str, Meta(min_length=1, max_length=2048, pattern=r"^https?://")]
Tag = Annotated[str, Meta(min_length=1, max_length=61)]
Tags = Annotated[list[Tag], Meta(max_length=100)]
Text_ = Annotated[str, Meta(min_length=1)]


class Calendar(Struct, frozen=True, kw_only=True):
    """Fixed times for groups; no trigger of this kind runs yet."""

    calendar: dict[str, Any]


class Trigger(Struct, frozen=True, kw_only=True):
    """What puts a person into the SOP. `live_code_ids`: only adds by these codes; `tags`: any of these."""

    event: (
        Literal["customer_added", "tag_added", "order_paid", "joined_group", "link_opened", "segment_entered"]
        | Calendar
    )
    live_code_ids: list[str] | None = None
    tags: Tags | None = None

    def __post_init__(self) -> None:
        if self.tags is not None:
            force_setattr(self, "tags", tag_names(self.tags))


class QuietHours(Struct, frozen=True, kw_only=True):
    """Local times between which nothing goes out; `from` later than `to` spans midnight."""

    from_: ClockTime = field(name="from")
    to: ClockTime


class Text(Struct, frozen=True, kw_only=True, tag_field="type", tag="text"):
    text: Text_


class Link(Struct, frozen=True, kw_only=True, tag_field="type", tag="link"):
    title: Text_
    url: Url
    desc: str | None = None
    picurl: Url | None = None
    material_id: str | None = None


class Image(Struct, frozen=True, kw_only=True, tag_field="type", tag="image"):
    """`media_id` (lives three days) or `pic_url` (from WeCom's uploadimg, lives on)."""

    media_id: str | None = None
    pic_url: str | None = None


class Video(Struct, frozen=True, kw_only=True, tag_field="type", tag="video"):
    media_id: Text_


class File(Struct, frozen=True, kw_only=True, tag_field="type", tag="file"):
    media_id: Text_


class MiniProgram(Struct, frozen=True, kw_only=True, tag_field="type", tag="miniprogram"):
    title: Text_
    pic_media_id: Text_
    appid: Text_
    page: Text_


Content = Text | Link | Image | Video | File | MiniProgram


class Message(Struct, frozen=True):
    """A step's content as WeCom takes it."""

    text: str | None
    attachments: list[dict[str, Any]]


class When(Struct, frozen=True, kw_only=True):
    """Who gets the step, by the tags they have when it falls due. Others skip it and go on."""

    all_tags: Tags = []
    any_tags: Tags = []
    no_tags: Tags = []
    opened: str | None = None

    def __post_init__(self) -> None:
        for name in ("all_tags", "any_tags", "no_tags"):
            force_setattr(self, name, tag_names(getattr(self, name)))


class Then(Struct, frozen=True, kw_only=True):
    """Tags put on and taken off whoever got the step."""

    add_tags: Tags = []
    remove_tags: Tags = []

    def __post_init__(self) -> None:
        for name in ("add_tags", "remove_tags"):
            force_setattr(self, name, tag_names(getattr(self, name)))


class Step(Struct, frozen=True, kw_only=True):
    """`after` counts from the trigger; with `at` the step waits for that local time."""

    step_id: Id
    after: Duration = "PT0S"
    at: ClockTime | None = None
    delivery: Literal["welcome", "mass_send", "staff_task", "moment"]
    content: Annotated[list[Content], Meta(min_length=1, max_length=10)]
    when: When = field(default_factory=When)
    then: Then = field(default_factory=Then)


class Plan(Struct, frozen=True, kw_only=True):
    """`POST /api/sops`."""

    name: Name
    audience: Literal["customer", "group"] = "customer"
    trigger: Trigger
    quiet_hours: QuietHours | None = None
    stop_on: list[Literal["order_paid", "customer_lost"]] = []
    timezone: Annotated[str, Meta(max_length=64)] = "Asia/Shanghai"
    steps: Annotated[list[Step], Meta(min_length=1, max_length=50)]


Status = Literal["active", "paused", "stopped"]
TouchStatus = Literal["scheduled", "handed_over", "sent", "skipped", "failed"]


class SopMade(Struct, frozen=True, kw_only=True):
    sop_id: str


class SopStatus(Struct, frozen=True, kw_only=True):
    sop_id: str
    status: Status


class SopScope(Struct, frozen=True, kw_only=True):
    """Whose customers an SOP is for: those of guides of these stores, of these departments; null: of all."""

    store_ids: list[str] | None
    department_ids: list[str] | None


class SopOut(Plan, frozen=True, kw_only=True):
    sop_id: str
    status: Status
    created_at: str
    scope: SopScope


class StepCounts(Struct, frozen=True, kw_only=True):
    scheduled: int
    handed_over: int
    sent: int
    skipped: int
    failed: int


class SopWithCounts(SopOut, frozen=True, kw_only=True):
    """`counts`: its touches, by step_id."""

    counts: dict[str, StepCounts]


class TouchOut(Struct, frozen=True, kw_only=True):
    """`handed_over`: WeCom has it. `reason`: why it was skipped or failed. Names: null while unknown."""

    touch_id: str
    sop_id: str
    step_id: str
    external_userid: str
    customer_name: str | None = None
    staff_id: str | None
    staff_name: str | None = None
    status: TouchStatus
    reason: str | None
    due_at: str
    at: str | None
    push_id: str | None
    msgid: str | None
