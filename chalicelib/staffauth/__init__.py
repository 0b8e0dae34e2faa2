"""Staff sign in with WeCom (OAuth2): a signed cookie says for twelve hours who they are."""
