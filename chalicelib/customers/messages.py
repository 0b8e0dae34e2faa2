"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_friend": (
        "不是该客户的好友，或不在您的管理范围内",
        "is no friend of the customer, or outside of your scope",
    ),
    "nobodys_friend": (
        "没有员工与该客户互为好友，企业微信不能修改备注和标签",
        "nobody of your scope is this customer's friend: WeCom takes no remark and no tags",
    ),
}
