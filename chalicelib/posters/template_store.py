"""Templates: the built-in ones, and those that operators made. Each was found readable before it was kept."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from chalicelib.brand import service as brand
from chalicelib.platform import audit, clock, ids, lists, storage, validation
from chalicelib.platform.errors import Conflict, Forbidden, Invalid, NotFound, issue
from chalicelib.platform.patch import merged
from chalicelib.platform.principal import SYSTEM, Principal, Scope
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.stored import read_stored
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.posters import built_in_templates, rules
from chalicelib.posters.built_in_templates import TEMPLATES
from chalicelib.posters.models import PosterTemplateItem
from chalicelib.posters.types import StoredTemplate, Template, TemplatePage, TemplatesQuery

Judge = Callable[[dict[str, Any]], None]  # Invalid when codes on the template can't be read
_LISTED = "poster_template"
_MAX_BYTES = 100_000


def create(template: Template, judge: Judge, principal: Principal) -> StoredTemplate:
    """A new template. Invalid, by field."""
    definition = check(template, judge)
    now = clock.iso(clock.now())
    item = PosterTemplateItem(
        f"pt_{ids.short(12)}",
        listing=_LISTED,
        version=1,
        created_at=now,
        updated_at=now,
        definition=definition,
        scope=msgspec.to_builtins(principal.scope) if principal.is_scoped else None,
    )
    tx = Transaction()
    tx.put("template", item, PosterTemplateItem.template_id.does_not_exist())
    audit.add(tx, "poster_templates.create", item.template_id, None, definition)
    tx.commit()
    return _stored(item, principal)


def get(template_id: str, principal: Principal = SYSTEM) -> StoredTemplate:
    """NotFound."""
    if template_id in TEMPLATES:
        definition = to_definition(_built_in(template_id))
        return msgspec.convert(
            {"template_id": template_id, "built_in": True, "can_change": False, **definition}, StoredTemplate
        )
    return _stored(_find(template_id), principal)


def get_design(template_id: str) -> Template:
    """The template as it is drawn. NotFound."""
    if template_id in TEMPLATES:
        return _built_in(template_id)
    return read_stored(_find(template_id).definition, Template)


def list_templates(query: TemplatesQuery, principal: Principal) -> TemplatePage:
    """Templates that were made, and the ids of those that are always there."""
    page = lists.whole(
        lists.partition(partial(PosterTemplateItem.by_creation.query, _LISTED)),
        query,
        key=lambda item: str(item.template_id),
        sorts={"name": lambda item: item.definition["name"], "created_at": lambda item: item.created_at},
        sort=query.sort,
        texts=lambda item: (item.definition["name"], item.template_id),
    )
    items = [_stored(item, principal) for item in page.items]
    return TemplatePage(items, page.total, page.next_cursor, page.total_is, built_in=list(TEMPLATES))


@storage.retrying("others keep changing this template")
def change(
    template_id: str,
    patch: Mapping[str, Any],
    judge: Judge,
    principal: Principal,
    if_match: IfMatch = ANY_VERSION,
) -> StoredTemplate:
    """Apply a JSON merge patch. NotFound, Invalid, Conflict for a built-in one, Stale, Forbidden."""
    item = _find_changeable(template_id, principal)
    if_match.check(int(item.version), lambda: _stored(item, principal))
    before = item.definition
    definition = check(validation.convert(merged(before, patch), Template), judge)
    actions = [
        PosterTemplateItem.definition.set(definition),
        PosterTemplateItem.updated_at.set(clock.iso(clock.now())),
        PosterTemplateItem.version.set(item.version + 1),
    ]
    tx = Transaction()
    tx.update("template", item, actions, PosterTemplateItem.version == item.version)
    audit.add(tx, "poster_templates.change", template_id, before, definition)
    tx.commit()
    return get(template_id, principal)


def delete(template_id: str, principal: Principal) -> None:
    """Posters that were made stay. NotFound, Conflict for a built-in one, Forbidden."""
    item, tx = _find_changeable(template_id, principal), Transaction()
    tx.delete("template", item, PosterTemplateItem.template_id.exists())
    audit.add(tx, "poster_templates.delete", template_id, item.definition, None)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise NotFound(code="no_such_poster_template", template_id=template_id) from error


def check(template: Template, judge: Judge) -> dict[str, Any]:
    """The definition to keep. Invalid with all that is wrong, first by rule, then by what a reader reads."""
    if issues := rules.find_issues(template):
        raise Invalid(*issues)
    definition = to_definition(template)
    if len(msgspec.json.encode(definition)) > _MAX_BYTES:
        raise Invalid(issue("layers", "max_bytes", max_bytes=_MAX_BYTES))
    judge(definition)
    return definition


def to_definition(template: Template) -> dict[str, Any]:
    """The template as JSON values."""
    return msgspec.to_builtins(template)  # type: ignore[no-any-return]


def _built_in(template_id: str) -> Template:
    """As the brand has it."""
    look = brand.look()
    return built_in_templates.branded(TEMPLATES[template_id], look, brand.logo_asset(look))


def _find_changeable(template_id: str, principal: Principal) -> PosterTemplateItem:
    if template_id in TEMPLATES:
        raise Conflict(code="poster_template_built_in")
    item = _find(template_id)
    if not _is_changeable(item, principal):
        raise Forbidden(code="poster_template_of_others")
    return item


def _is_changeable(item: PosterTemplateItem, principal: Principal) -> bool:
    return principal.scope.holds(msgspec.convert(item.scope or {}, Scope))


def _find(template_id: str) -> PosterTemplateItem:
    item = PosterTemplateItem.find(template_id)
    if item is None:
        raise NotFound(code="no_such_poster_template", template_id=template_id)
    return item  # type: ignore[no-any-return]


def _stored(item: PosterTemplateItem, principal: Principal) -> StoredTemplate:
    own = {
        "template_id": item.template_id,
        "built_in": False,
        "can_change": _is_changeable(item, principal),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "version": int(item.version),
    }
    return read_stored({**item.definition, **own}, StoredTemplate)
