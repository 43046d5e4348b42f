"""AWS's notebook client as a program, for it has an environment of its own: `.venv/notebook`.

Each line of its input is a JSON object: the `configuration` that a notebook has for the cluster, whether requests are
`signed`, and either a `line` of the magic command `%neptune_ml` with the `cell` below it, or a `method` of the client
with its `arguments`. Each line of its output is what became of that: the `answer`, or the `status` and `body` of an
error.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import graph_notebook  # type: ignore[import-not-found] # in that environment
from botocore.session import get_session
from graph_notebook.configuration.get_config import get_config_from_dict  # type: ignore[import-not-found]
from graph_notebook.neptune.client import ClientBuilder  # type: ignore[import-not-found]
from ipywidgets import Output  # type: ignore[import-not-found]
from requests import HTTPError  # type: ignore[import-untyped]

# Its package loads what draws graphs, too, which is not installed.
_SPEC = importlib.util.spec_from_file_location("ml", Path(graph_notebook.__file__).parent / "magics" / "ml.py")
assert _SPEC
assert _SPEC.loader
ML: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(ML)


def answer(call: dict[str, Any]) -> object:
    # As `graph_notebook.magics.graph_magic` makes it, except that it would sign for Neptune's own hosts only.
    configuration = get_config_from_dict(call["configuration"])
    builder = ClientBuilder().with_host(configuration.host).with_port(configuration.port).with_region("us-west-2")
    builder = builder.with_tls(configuration.ssl).with_ssl_verify(configuration.ssl_verify)
    client = (builder.with_iam(get_session()) if call["signed"] else builder).build()
    try:
        if "line" in call:
            arguments = ML.generate_neptune_ml_parser().parse_args(call["line"].split())
            return ML.neptune_ml_magic_handler(arguments, client, Output(), call["cell"])
        response = getattr(client, call["method"])(**call["arguments"])
        response.raise_for_status()
        return response.json()
    finally:
        client.close()


for text in sys.stdin:
    try:
        with redirect_stdout(sys.stderr):
            result = {"answer": answer(json.loads(text))}
    except HTTPError as error:
        result = {"status": error.response.status_code, "body": error.response.json()}
    print(json.dumps(result), flush=True)
