"""The brand kit: name, logo, two colours, avatar, on every page, poster and card."""
