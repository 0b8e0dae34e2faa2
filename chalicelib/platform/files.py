"""Files in S3: what is too large for a table or an answer, e.g. an upload, a print run's cards.

A function's role reaches only the prefixes that stack.yaml names for it (`files`). What begins with
`results/` or `uploads/` is deleted by the bucket after 30 days.
"""

import io
from collections.abc import Iterator
from datetime import timedelta
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from chalicelib.platform import settings
from chalicelib.platform.errors import NotFound

PART_BYTES = 8 * 1024 * 1024  # S3 takes parts from 5 MiB on
LINK_TIME = timedelta(hours=1)


def put(key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
    """Store a file whole; the one of that name is replaced."""
    settings.s3().put_object(Bucket=_bucket(), Key=key, Body=body, ContentType=content_type)


def replace(key: str, body: bytes, content_type: str, tag: str | None) -> bool:
    """Store a file if the one that is there has that tag (`get_tagged`), or if none is and `tag` is None."""
    condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
    try:
        settings.s3().put_object(Bucket=_bucket(), Key=key, Body=body, ContentType=content_type, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in (
            "PreconditionFailed",
            "ConditionalRequestConflict",
            "NoSuchKey",
        ):
            return False
        raise
    return True


def get_tagged(key: str) -> tuple[bytes, str] | None:
    """A file whole, and the tag of what it holds; None when it is not there."""
    try:
        stored = settings.s3().get_object(Bucket=_bucket(), Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    return bytes(stored["Body"].read()), str(stored["ETag"])


def get(key: str) -> bytes:
    """A file whole. NotFound."""
    return bytes(_open(key).read())


def lines(key: str) -> Iterator[bytes]:
    """A file's lines without their ends, streamed. NotFound."""
    yield from _open(key).iter_lines(chunk_size=256 * 1024)


def part(key: str, start: int, length: int) -> bytes:
    """At most `length` bytes from the byte `start` on; none behind the end. NotFound."""
    try:
        wanted = f"bytes={start}-{start + length - 1}"
        return bytes(settings.s3().get_object(Bucket=_bucket(), Key=key, Range=wanted)["Body"].read())
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "InvalidRange":
            return b""
        if code == "NoSuchKey":
            raise NotFound(code="no_file", key=key) from error
        raise


def download(key: str, into: IO[bytes]) -> None:
    """A file into an open one, in parts side by side; a broken connection is taken up again. NotFound."""
    try:
        settings.s3().download_fileobj(_bucket(), key, into)
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            raise NotFound(code="no_file", key=key) from error
        raise


def size(key: str) -> int | None:
    """A file's bytes; None when it is not there."""
    try:
        return int(settings.s3().head_object(Bucket=_bucket(), Key=key)["ContentLength"])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            return None
        raise


def names(prefix: str) -> list[str]:
    """The keys that begin so, in order."""
    found = settings.s3().get_paginator("list_objects_v2").paginate(Bucket=_bucket(), Prefix=prefix)
    return [row["Key"] for page in found for row in page.get("Contents", ())]


def delete(key: str) -> None:
    """Remove a file, if it is there."""
    settings.s3().delete_object(Bucket=_bucket(), Key=key)


def download_url(key: str, name: str, lifetime: timedelta = LINK_TIME) -> str:
    """A link that downloads the file as `name` for a while, for whoever has it."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    params = {"Bucket": _bucket(), "Key": key, "ResponseContentDisposition": disposition}
    return _link("get_object", params, lifetime)


def upload_url(key: str, content_type: str, lifetime: timedelta = LINK_TIME) -> str:
    """A link that takes one PUT of the file with that Content-Type."""
    return _link("put_object", {"Bucket": _bucket(), "Key": key, "ContentType": content_type}, lifetime)


class Upload:
    """A file written bit by bit in constant memory; there only once it is whole.

    `with Upload(key, "text/csv") as out: out.write(b"…")`. An exception leaves no file behind.
    """

    def __init__(self, key: str, content_type: str):
        self._key, self._type = key, content_type
        self._buffer = io.BytesIO()
        self._parts: list[dict[str, Any]] = []
        self._upload_id: str | None = None

    def __enter__(self) -> "Upload":
        return self

    def write(self, data: bytes) -> int:
        self._buffer.write(data)
        if self._buffer.tell() >= PART_BYTES:
            self._flush()
        return len(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            if self._upload_id is not None:
                settings.s3().abort_multipart_upload(**self._of())
        elif self._upload_id is None:
            put(self._key, self._buffer.getvalue(), self._type)
        else:
            if self._buffer.tell():
                self._flush()
            settings.s3().complete_multipart_upload(**self._of(), MultipartUpload={"Parts": self._parts})

    def _flush(self) -> None:
        if self._upload_id is None:
            made = settings.s3().create_multipart_upload(
                Bucket=_bucket(), Key=self._key, ContentType=self._type
            )
            self._upload_id = str(made["UploadId"])
        number = len(self._parts) + 1
        part = settings.s3().upload_part(**self._of(), PartNumber=number, Body=self._buffer.getvalue())
        self._parts.append({"PartNumber": number, "ETag": part["ETag"]})
        self._buffer = io.BytesIO()

    def _of(self) -> dict[str, Any]:
        return {"Bucket": _bucket(), "Key": self._key, "UploadId": self._upload_id}


def _open(key: str) -> Any:
    try:
        return settings.s3().get_object(Bucket=_bucket(), Key=key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            raise NotFound(code="no_file", key=key) from error
        raise


def _link(method: str, params: dict[str, Any], lifetime: timedelta) -> str:
    seconds = int(lifetime.total_seconds())
    return str(settings.s3().generate_presigned_url(method, Params=params, ExpiresIn=seconds))


def _bucket() -> str:
    return settings.env("FILES_BUCKET")
