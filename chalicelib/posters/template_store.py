"""Templates: the built-in ones, and those that operators made. Each was found readable before it was kept."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from chalicelib.platform import clock, ids, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.patch import merged
from chalicelib.posters import rules
from chalicelib.posters.built_in_templates import TEMPLATES
from chalicelib.posters.models import PosterTemplateItem
from chalicelib.posters.types import Template

Judge = Callable[[dict[str, Any]], None]  # Invalid when codes on the template can't be read
_LISTED = "poster_template"
_MAX_BYTES = 100_000


def create(template: Template, judge: Judge) -> dict[str, Any]:
    """A new template. Invalid, by field."""
    definition = checked(template, judge)
    now = clock.iso(clock.now())
    item = PosterTemplateItem(
        f"pt_{ids.short(12)}",
        listing=_LISTED,
        version=1,
        created_at=now,
        updated_at=now,
        definition=definition,
    )
    if not storage.put_once(item, PosterTemplateItem.template_id.does_not_exist()):
        raise Conflict("the id was taken: try again")
    return _shown(item)


def get(template_id: str) -> dict[str, Any]:
    """The template on the wire. NotFound."""
    if template_id in TEMPLATES:
        return {"template_id": template_id, "built_in": True, **plain(TEMPLATES[template_id])}
    return _shown(_find(template_id))


def template(template_id: str) -> Template:
    """The template itself. NotFound."""
    if template_id in TEMPLATES:
        return TEMPLATES[template_id]
    return msgspec.convert(_find(template_id).definition, Template)


def page(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Templates that were made, newest first, and the next cursor."""
    query = partial(PosterTemplateItem.by_creation.query, _LISTED, scan_index_forward=False, limit=limit)
    rows, following = storage.page(query, cursor)
    return [_shown(row) for row in rows], following


def built_in() -> list[str]:
    """Ids of the templates that are always there."""
    return list(TEMPLATES)


def change(
    template_id: str, patch: Mapping[str, Any], complete: Callable[[Any], Template], judge: Judge
) -> dict[str, Any]:
    """Apply a JSON merge patch. NotFound, Invalid, Conflict."""
    _own(template_id)
    item = _find(template_id)
    definition = checked(complete(merged(item.definition, patch)), judge)
    actions = [
        PosterTemplateItem.definition.set(definition),
        PosterTemplateItem.updated_at.set(clock.iso(clock.now())),
        PosterTemplateItem.version.set(item.version + 1),
    ]
    if not storage.update_if(item, actions, PosterTemplateItem.version == item.version):
        raise Conflict("the template was changed meanwhile: read it again")
    return _shown(item)


def remove(template_id: str) -> None:
    """Delete it; posters that were made stay. NotFound, Conflict for a built-in one."""
    _own(template_id)
    if not storage.delete_if(PosterTemplateItem(template_id), PosterTemplateItem.template_id.exists()):
        raise NotFound(f"there is no poster template {template_id}")


def checked(template: Template, judge: Judge) -> dict[str, Any]:
    """The definition to keep. Invalid with all that is wrong, first by rule, then by what a reader reads."""
    if wrong := rules.problems(template):
        raise Invalid(*wrong)
    definition = plain(template)
    if len(msgspec.json.encode(definition)) > _MAX_BYTES:
        raise Invalid(("layers", f"the template has over {_MAX_BYTES} bytes"))
    judge(definition)
    return definition


def plain(template: Template) -> dict[str, Any]:
    """The template as JSON values."""
    return msgspec.to_builtins(template)  # type: ignore[no-any-return]


def _own(template_id: str) -> None:
    if template_id in TEMPLATES:
        raise Conflict("a built-in template stays as it is: make a copy")


def _find(template_id: str) -> PosterTemplateItem:
    item = PosterTemplateItem.find(template_id)
    if item is None:
        raise NotFound(f"there is no poster template {template_id}")
    return item  # type: ignore[no-any-return]


def _shown(item: PosterTemplateItem) -> dict[str, Any]:
    times = {"created_at": item.created_at, "updated_at": item.updated_at, "version": int(item.version)}
    return {"template_id": item.template_id, "built_in": False, **item.definition, **times}
