"""Serve the partners of this installation: `python -m sandbox.partners`."""

from connectors.settings import Settings
from sandbox.partners.servers import serve_partners

if __name__ == "__main__":
    serve_partners(Settings.from_environment())
