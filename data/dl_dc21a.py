"""Download the data challenge 2021a from AVISO: its tracks, two maps and the mean dynamic topography, some 140 MB.

``xinr download dc2021a`` has more to choose from.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from xinr.datasets import download

FILES = ("dc_obs/*", "dc_maps/mdt.nc", "dc_maps/*_BASELINE.nc", "dc_maps/*_DUACS.nc")


def main() -> int:
    """Read the options and download."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--credentials-file",
        type=Path,
        help="YAML file with the lines 'aviso:', '  username: ...', '  password: ...'. Without it: the environment "
        "variables AVISO_USERNAME and AVISO_PASSWORD, then netrc.",
    )
    parser.add_argument("--save-dir", type=Path, default=Path(), help="folder for the files, made if need be")
    parser.add_argument("--url", help="root of a copy of AVISO's server")
    options = parser.parse_args()
    try:
        paths = download(
            "dc2021a",
            options.save_dir,
            source="aviso",
            only=FILES,
            credentials_file=options.credentials_file,
            url=options.url,
        )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped: the same command goes on from here", file=sys.stderr)
        return 130
    print(f"{len(paths)} files in {options.save_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
