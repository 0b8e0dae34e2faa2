"""The phones of the sandbox's people: a customer's WeChat, and a guide's WeCom, as a browser shows them."""
