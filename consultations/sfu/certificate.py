"""The server's certificate for DTLS, with the OpenSSL context that all its sessions share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from aiortc import RTCCertificate
from OpenSSL import SSL

if TYPE_CHECKING:
    from aiortc.rtcdtlstransport import SRTPProtectionProfile


class Certificate(RTCCertificate):
    """As aiortc's, which makes a context for every session: some 20 kB, 0.2 ms, and a
    circle of objects that is left to the garbage collector."""

    _context: SSL.Context | None = None

    @cached_property
    def sha256(self) -> str:
        """The fingerprint for an answer (RFC 8122 section 5)."""
        prints = self.getFingerprints()
        return next(each.value for each in prints if each.algorithm == "sha-256")

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> Any:
        """All sessions offer the same profiles. None is resumed, so none is remembered."""
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        return self._context
