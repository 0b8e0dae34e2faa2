"""The official account's wire: the OAuth by which somebody in WeChat says who they are."""
