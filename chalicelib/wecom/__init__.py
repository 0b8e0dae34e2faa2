"""WeCom's wire: callbacks (crypto, events) and calls (client, errors, tokens). Nothing else knows it."""
