"""People of the sandbox's corp by role, so that signing in to the console by WeCom can be tried at once."""

from typing import Any

from botocore.exceptions import ClientError

from chalicelib.platform import clock
from infra.local.settings import STACK
from infra.sandbox import Sandbox

# userid, name, what they are in the corp, the role that they have here
PEOPLE = (
    ("wangjian", "王健", "管理员", "admin"),
    ("liuyun", "刘芸", "运营", "operator"),
    ("hemei", "何梅", "店长", "store_manager"),
    ("qianhui", "钱慧", "财务", "finance"),
    ("zhoumin", "周敏", "审计", "auditor"),
)
OPERATOR, MANAGER = "liuyun", "hemei"


def settle_in(sandbox: Sandbox, dynamodb: Any) -> None:
    """They are members of the corp, and have their role, unless somebody has changed it since.

    A store manager sees nothing until a store is theirs.
    """
    for userid, name, position, role in PEOPLE:
        if userid not in sandbox.world.state.staff:
            sandbox.actions.add_staff(userid, name, position=position)
        scope = '{"store_ids": [], "department_ids": null}' if role == "store_manager" else None
        _put(dynamodb, userid, role, scope)


def _put(dynamodb: Any, userid: str, role: str, scope: str | None) -> None:
    now = clock.iso(clock.now())
    texts = {"user": userid, "staff_id": userid, "role": role, "status": "active", "created_at": now}
    item: dict[str, Any] = {name: {"S": text} for name, text in texts.items()}
    item["version"] = {"N": "1"}
    if scope:
        item["scope"] = {"S": scope}
    try:
        dynamodb.put_item(
            TableName=f"{STACK}-users", Item=item, ConditionExpression="attribute_not_exists(#user)",
            ExpressionAttributeNames={"#user": "user"},
        )  # fmt: skip
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
