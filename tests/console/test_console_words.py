"""One word for one thing: a value of an enum is called the same on every screen."""

import json
from collections import defaultdict
from itertools import chain
from pathlib import Path

import pytest

from chalicelib.platform import listeners, works
from chalicelib.wecom import events
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


def test_every_message_that_may_be_given_up_has_a_name() -> None:
    heard = chain.from_iterable(one.handlers for one in listeners.known())
    kinds = {*works.known(), *heard, events.UNREADABLE, "other"}
    texts = json.loads((Path(SOURCE) / "sections/settings_dead_letters/zh.json").read_text())
    assert len(kinds) > 50 and not kinds - {key.removeprefix("enum.message_kind.") for key in texts}
