"""Fixed times inside an Office document, so that equal content is equal bytes."""

import io
import re
import zipfile
from datetime import date

EARLIEST = (1980, 1, 1, 0, 0, 0)
CORE_PROPERTIES = "docProps/core.xml"


def fix_times(document: bytes, business_date: date) -> bytes:
    """Rewrite an Office document with the business date as its time and no other clock in it."""
    fixed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(document)) as source,
        zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            content = source.read(name)
            if name == CORE_PROPERTIES:
                stamp = f">{business_date}T00:00:00Z</dcterms:".encode()
                content = re.sub(rb">[^<]*</dcterms:", stamp, content)
            member = zipfile.ZipInfo(name, EARLIEST)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            target.writestr(member, content)
    return fixed.getvalue()
