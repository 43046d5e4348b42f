"""What the environment of a user, or of a CI image, may say for the sake of other work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

AWS = {
    "AWS_CA_BUNDLE": "/nowhere/authority.pem",
    "AWS_CONFIG_FILE": "/nowhere/config",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9",
    "AWS_PROFILE": "no-such-profile",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "LOG_LEVEL": "ERROR",
    "POWERTOOLS_DEV": "true",
    "SAM_CLI_POLL_DELAY": "60",
    "SAM_TEMPLATE_FILE": "/nowhere/template.yaml",
}
"""Another AWS, and other defaults of SAM and of Powertools."""

REACHING = {
    "HTTPS_PROXY": "http://proxy.example.com:3128",
    "NPM_CONFIG_REGISTRY": "https://mirror.example.com/npm",
    "PIP_CERT": "/etc/authority.pem",
    "PIP_INDEX_URL": "https://mirror.example.com/simple",
    "PIP_TRUSTED_HOST": "mirror.example.com",
    "SSL_CERT_FILE": "/etc/authority.pem",
    "UV_DEFAULT_INDEX": "https://mirror.example.com/simple",
    "UV_INDEX_MIRROR_PASSWORD": "5ec7e7",
    "UV_INSECURE_HOST": "mirror.example.com",
    "npm_config_cafile": "/etc/authority.pem",
}
"""How packages are reached, which is meant for us, too."""


def installing(elsewhere: Path) -> dict[str, str]:
    """What has pip, uv and npm install elsewhere, something else, or nothing."""
    return {
        "CONDA_PREFIX": str(elsewhere),
        "NODE_ENV": "production",
        "NPM_CONFIG_GLOBAL": "true",
        "PIP_CONSTRAINT": "/nowhere/constraints.txt",
        "PIP_DRY_RUN": "1",
        "PIP_PREFIX": str(elsewhere),
        "PIP_PYTHON": str(elsewhere / "bin/python"),
        "PIP_REQUIRE_VIRTUALENV": "true",
        "PIP_TARGET": str(elsewhere),
        "PIP_USER": "1",
        "UV_EXCLUDE_NEWER": "2001-01-01",
        "UV_PYTHON": str(elsewhere / "bin/python"),
        "UV_SYSTEM_PYTHON": "1",
        "VIRTUAL_ENV": str(elsewhere),
        "npm_config_dry_run": "true",
    }


def starting_python(elsewhere: Path) -> dict[str, str]:
    """What has Python import from elsewhere, run otherwise, or not start at all."""
    return {
        "PYTHONHOME": str(elsewhere),
        "PYTHONOPTIMIZE": "2",
        "PYTHONPATH": str(elsewhere),
        "PYTHONSAFEPATH": "1",
        "PYTHONUSERBASE": str(elsewhere),
    }
