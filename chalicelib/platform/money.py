"""Money is whole fen (int), a rate is basis points (int). A share is rounded down to the fen."""


def share(fen: int, rate_bps: int) -> int:
    """⌊fen × rate⌋ for fen ≥ 0."""
    if fen < 0 or rate_bps < 0:
        raise ValueError("a share is taken of a sum of zero or more")
    return fen * rate_bps // 10_000


def yuan(fen: int) -> str:
    """`¥12.34`, for people."""
    return f"{'-' if fen < 0 else ''}¥{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
