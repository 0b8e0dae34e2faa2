"""WeChat Pay's wire (API v3, 商家转账): signatures, notifications, transfers. Nothing else knows it."""
