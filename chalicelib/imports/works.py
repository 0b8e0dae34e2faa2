"""Work of imports: a step, which sends the next."""

from chalicelib.platform.works import Work

WORKS = [
    Work(kind="import_step", queue="imports", handler="chalicelib.imports.steps:work"),
]
