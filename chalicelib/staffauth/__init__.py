"""Staff sign in with WeCom (OAuth2): a session for twelve hours."""
