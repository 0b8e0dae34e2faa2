"""What to paste where, on the wire."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.platform.userids import fold_fields


class EmbedQuery(Struct, kw_only=True):
    """Whose own it is: a guide's, or (kind nearest_store) a store's."""

    staff_id: Annotated[str, Meta(description="Its links prefer this guide")] = ""
    store_id: Annotated[str, Meta(description="Its links lead to this store")] = ""

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class PictureQuery(Struct, kw_only=True):
    g: Annotated[str, Meta(description="Whose own poster it is, as in the code's link")] = ""


class Website(Struct, kw_only=True, frozen=True):
    """A button with a code, a link, or the code's picture alone."""

    html: str
    link: str
    qr_svg_url: str


class MenuButton(Struct, kw_only=True, frozen=True):
    """One entry of the menu that WeChat's cgi-bin/menu/create takes; also good as a keyword's answer."""

    type: Literal["view"] = "view"
    name: str
    url: str


class OfficialAccount(Struct, kw_only=True, frozen=True):
    menu_button: MenuButton


class MiniProgram(Struct, kw_only=True, frozen=True):
    """Its domain must be among the mini program's business domains."""

    wxml: str


class EmbedOut(Struct, kw_only=True, frozen=True):
    url: str
    website: Website
    official_account: OfficialAccount
    mini_program: MiniProgram
