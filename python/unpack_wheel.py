"""Take TensorFlow's C libraries and headers out of its wheel: `python unpack_wheel.py <wheel> <target>`.

Writes `<target>/lib/…` and `<target>/include/…`, and a line `<bytes done> <bytes in all>` to standard output as it goes.
"""

import shutil
import sys
import zipfile
from pathlib import Path

HEADERS = ("tensorflow/include/tensorflow/c/", "tensorflow/include/tensorflow/core/platform/", "tensorflow/include/tsl/")


def destination(name):
    """Where a member of the wheel goes, or None."""
    if name.startswith("tensorflow/libtensorflow_"):
        return Path("lib") / name.rpartition("/")[2]
    if name.startswith(HEADERS):
        return Path("include") / name[len("tensorflow/include/") :]
    return None


def main(wheel, target):
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, destination(info.filename)) for info in archive.infolist() if not info.is_dir()]
        members = [(info, path) for info, path in members if path is not None]
        total = sum(info.file_size for info, _ in members)
        done = 0
        for info, path in members:
            file = Path(target) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, open(file, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            if path.parts[0] == "lib":
                file.chmod(0o755)
            done += info.file_size
            print(done, total, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
