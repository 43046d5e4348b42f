"""Check the locked dependencies for known vulnerabilities, if the advisory service can be reached.

Without the internet, or with a package registry that passes no advisories on, even a version that is known to be
vulnerable has none. So this script checks such a version first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_PIP_AUDIT = _ROOT / ".venv/pip-audit/bin/pip-audit"
_KNOWN_TO_BE_VULNERABLE = "urllib3==1.25.0"  # CVE-2020-26137 and others
_SECONDS = 240
_LOCKS = (_ROOT / "src/requirements.txt", *sorted((_ROOT / "requirements").glob("*.txt")))


def vulnerabilities(requirements: Path) -> list[str] | None:
    """Return a line for each vulnerability of locked requirements; `None` if the service did not answer."""
    command = [str(_PIP_AUDIT), "--requirement", str(requirements), "--no-deps", "--disable-pip", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return [
        f"{dependency['name']} {dependency.get('version')}: {known['id']}, fixed in {', '.join(known['fix_versions'])}"
        for dependency in report["dependencies"]
        for known in dependency.get("vulns", [])
    ]


def main() -> int:
    """Check every lock file; the exit code is 1 if a dependency is vulnerable."""
    with tempfile.TemporaryDirectory() as directory:
        canary = Path(directory) / "requirements.txt"
        canary.write_text(f"{_KNOWN_TO_BE_VULNERABLE}\n")
        if not vulnerabilities(canary):
            print("audit: skipped, because the advisory service cannot be reached from here")
            return 0
    found = 0
    for lock in _LOCKS:
        lines = vulnerabilities(lock)
        if lines is None:
            print(f"audit: no answer for {lock.relative_to(_ROOT)}")
        for line in lines or []:
            print(f"audit: {lock.relative_to(_ROOT)}: {line}")
            found += 1
    print(f"audit: {found} known vulnerabilities in {len(_LOCKS)} lock files")
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main())
