"""The poster function, invoked in this process through JSON, as Lambda does."""

import io
import json
from typing import Any

from functions.poster import handler as poster


class PosterLambda:
    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        answer = json.dumps(poster.handler(json.loads(Payload), None)).encode()
        assert len(answer) < 6_000_000
        return {"Payload": io.BytesIO(answer)}
