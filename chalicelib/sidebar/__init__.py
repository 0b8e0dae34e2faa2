"""The sidebar of WeCom's chats: who this is, their tags and remark, a text in one tap."""
