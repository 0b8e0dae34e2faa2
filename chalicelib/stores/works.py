"""Work for stores that is done later."""

from chalicelib.platform.works import Work

WORKS = [
    # What of an import has not come onto the map (import_id); the whole map made anew (job_id).
    Work(
        kind="store_map",
        queue="assign",
        handler="chalicelib.stores.map_updates:work",
        takes=(),
        optional=("import_id", "job_id"),
    ),
]
