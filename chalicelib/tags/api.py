"""The door of a customer's tags."""

from chalicelib.platform import http
from chalicelib.platform.http import Call
from chalicelib.tags import changes
from chalicelib.tags.types import CustomerTags, TagsPatch

door = http.Door(__name__, tag="Customers")


@door.route(
    "POST",
    "/api/customers/{external_userid}/tags",
    permission="customers.write",
    body=TagsPatch,
    answer=CustomerTags,
    summary="Put tags on a customer and take others off, here and in WeCom",
)
def change(call: Call, external_userid: str) -> CustomerTags:
    return CustomerTags(tags=changes.change(external_userid, call.body, call.principal))
