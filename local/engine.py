"""The Docker engine that `sam local invoke` runs the function in."""

from __future__ import annotations

import ipaddress
import json
import shutil
import socket
import subprocess
from contextlib import suppress
from typing import Any

_TIMEOUT_SECONDS = 30.0


class EngineMissing(RuntimeError):
    """No Docker engine can be used; the message says why and what to do."""


def check() -> None:
    """Check that a Docker engine answers.

    Raises:
        EngineMissing: No engine answers.
    """
    if shutil.which("docker") is None:
        raise EngineMissing(
            "Docker is missing: `sam local invoke` runs the function in its containers. Install it "
            "(https://docs.docker.com/get-docker/), start it and try again."
        )
    done = _docker("info", "--format", "{{.ServerVersion}}")
    if done.returncode:
        problem = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise EngineMissing(f"No Docker engine responds: start Docker and try again. (docker info: {problem[-1]})")


def has_image(name: str) -> bool:
    """Tell whether an image is on this machine.

    Args:
        name: The image's name and tag.

    Returns:
        Whether it is.
    """
    return _docker("image", "inspect", name).returncode == 0


def remove_container(container_id: str) -> None:
    """Remove a container, whether it runs or not; do nothing if it does not exist.

    Args:
        container_id: The container's ID.
    """
    _docker("rm", "--force", container_id)


def host_address() -> str:
    """Find the address of this machine that containers reach as `host-gateway`.

    Returns:
        The address of Docker's bridge, which only this machine can reach. Where Docker runs in a virtual machine
        (Docker Desktop), the bridge is inside it, and containers reach the loopback address.
    """
    done = _docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}")
    for config in json.loads(done.stdout) if done.returncode == 0 else []:
        with suppress(OSError), socket.create_server((_gateway(config), 0)):
            return _gateway(config)
    return "127.0.0.1"


def _gateway(config: dict[str, Any]) -> str:
    # Some engines do not report a gateway that they chose themselves: the first address.
    return str(config.get("Gateway") or next(ipaddress.ip_network(config["Subnet"]).hosts()))


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["docker", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise EngineMissing(
            f"The Docker engine does not respond (`{' '.join(command)}`): restart it and try again."
        ) from error
