"""What a receiver has agreed with its sender beyond the layout: a signature key, an SM4 key, a password.

They lie in the folder `agreement` of its root, beside `inbox`. What lies there is demanded of every file.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from pathlib import Path

from connectors.exchange_crypto import is_signed_by, read_sm4_keys, sm3_digest
from sandbox.partners.inspection import BatchRefused

SIGNER, SM4_KEY, PASSWORD = "sender.sm2.pub.pem", "content.sm4", "password"


class Agreement:
    """The folder and what lies in it; nothing there is nothing agreed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def sm4_key(self) -> bytes | None:
        """The key of encrypted contents, or None if contents come in clear."""
        path = self._folder / SM4_KEY
        return read_sm4_keys(path)[0] if path.exists() else None

    def is_password(self, given: str) -> bool:
        """Tell whether the envelope's password is the agreed one; none is an empty one."""
        path = self._folder / PASSWORD
        agreed = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        return hmac.compare_digest(agreed.encode(), given.encode())

    def check(self, file_name: str, content: bytes, beside: Mapping[str, bytes]) -> None:
        """Hold a file against its SM3 digest, if one came, and against its signature, if one is agreed.

        Raises:
            BatchRefused: the digest differs, or the signature is missing or another's.
        """
        stated = beside.get("sm3")
        if stated is not None and stated != f"{sm3_digest(content)}  {file_name}\n".encode():
            raise BatchRefused("SM3摘要不符，文件内容与摘要文件不一致", "F101")
        signer = self._folder / SIGNER
        if signer.exists() and not is_signed_by(signer, content, _decoded(beside.get("sig"))):
            raise BatchRefused("签名缺失或不符", "F109")


def _decoded(signature: bytes | None) -> bytes:
    try:
        return base64.b64decode((signature or b"").strip(), validate=True)
    except binascii.Error:
        return b""
