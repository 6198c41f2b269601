"""Where a number comes from: the code, the versions, the machine."""

import functools
import hashlib
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import joblib
import torch

import scmlab

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")


@functools.cache
def code_hash() -> str:
    """SHA-256 over the package's sources: results of other code are other results."""
    root = Path(scmlab.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of what computes: the package with its code's hash, the libraries, Python."""
    libraries = {name: version(name) for name in PACKAGES}
    return {"scmlab": f"{scmlab.__version__}+{code_hash()[:12]}"} | libraries | {"python": platform.python_version()}


def environment(device: str) -> dict:
    """versions, device, machine, date."""
    gpu = [torch.cuda.get_device_name(device)] if device.startswith("cuda") else []
    return {
        "versions": versions(),
        "device": device,
        "machine": ", ".join([*gpu, _processor(), f"{joblib.cpu_count()} cores", platform.system()]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
