"""One word for one thing: a value of an enum is called the same on every screen."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from infra.console.sources import SOURCE


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_value_is_called_the_same_on_every_screen(language: str) -> None:
    words: dict[str, dict[str, str]] = defaultdict(dict)
    for path in Path(SOURCE).rglob(f"{language}.json"):
        for key, text in json.loads(path.read_text()).items():
            if key.startswith("enum."):
                words[key][path.parent.name] = text
    several = {key: said for key, said in words.items() if len(said) > 1}
    assert several and not {key: said for key, said in several.items() if len(set(said.values())) > 1}
