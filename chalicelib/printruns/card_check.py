"""What a sheet's cards will be, and whether they can be printed: known before anything is made."""

from chalicelib.brand import service as brand
from chalicelib.platform.errors import Invalid, Issue, NotFound, issue
from chalicelib.posters import service as posters
from chalicelib.posters import template_store
from chalicelib.posters.types import Template
from chalicelib.printruns import card_design, rules, runs
from chalicelib.printruns.types import Sheet

_TEXTS = ("title", "subtitle", "footer")


def resolve(sheet: Sheet) -> tuple[Sheet, Template | None]:
    """The sheet with all that its template says, and the template. Invalid."""
    if sheet.template_id is None:
        look = brand.look()
        sheet = card_design.in_look(sheet, look, brand.logo_asset(look))
        return card_design.with_template(sheet, None), None
    own = [name for name in ("picture", "logo", "footer") if getattr(sheet, name)]
    issues = [issue(f"sheet.{name}", "template_has_its_own") for name in own]
    try:
        template = template_store.get_design(sheet.template_id)
    except NotFound:
        lacking = issue("sheet.template_id", "no_such_poster_template", template_id=sheet.template_id)
        raise Invalid(lacking, *issues) from None
    if issues:
        raise Invalid(*issues)
    return card_design.with_template(sheet, template), template


def check(sheet: Sheet, design: Template | None) -> None:
    """Whether every character can be printed, and a designed card's code be read. Invalid, Upstream."""
    posters.check_texts({f"sheet.{name}": text for name in _TEXTS if (text := getattr(sheet, name))})
    if design is None and not (sheet.picture or sheet.logo):
        return
    try:
        posters.check_template(design or card_design.design(sheet), len(runs.base_url()) + rules.TOKEN)
    except Invalid as error:
        field = "sheet.template_id" if design else f"sheet.{'picture' if sheet.picture else 'logo'}"
        named = [Issue(field, one.code, one.params, one.text) for one in error.issues]
        raise Invalid(*named) from error
