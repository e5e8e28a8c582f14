"""The datasets that can be downloaded: their servers and files."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch

MEOM = "https://ige-meom-opendap.univ-grenoble-alpes.fr/thredds/fileServer/meomopendap/extract"
AVISO = "https://tds.aviso.altimetry.fr/thredds/fileServer"
MB = 10**6
ARCHIVE = ".tar.gz"


@dataclass(frozen=True)
class Remote:
    """A file on a server."""

    path: str  #: Relative to the folder of its dataset; of an archive (``.tar.gz``), the folder of its files.
    url: str  #: Relative to the root of its source.
    size: float | None = None  #: Bytes; rounded where there is no checksum.
    sha256: str | None = None  #: Checksum.

    @property
    def is_archive(self) -> bool:
        """Whether it is unpacked."""
        return self.url.endswith(ARCHIVE)


@dataclass(frozen=True)
class Source:
    """A server with files of a dataset: its URL, its files, and the key of the account that it needs, if any."""

    root: str
    files: tuple[Remote, ...]
    account: str = ""

    def select(self, patterns: Iterable[str] = ()) -> tuple[Remote, ...]:
        """Return the files whose path matches one of the patterns, such as ``"dc_obs/*"``; all without patterns.

        Examples
        --------
        >>> [remote.path for remote in DATASETS["dc2020a"].sources["meom"].select(["dc_o*", "dc_r*"])]
        ['dc_obs', 'dc_ref']
        """
        patterns = list(patterns)
        for pattern in patterns:
            if not any(fnmatch(remote.path, pattern) for remote in self.files):
                names = [remote.path for remote in self.files]
                raise ValueError(f"no file matches {pattern!r}: expected a pattern for some of {names}.")
        chosen = patterns or ["*"]
        return tuple(remote for remote in self.files if any(fnmatch(remote.path, pattern) for pattern in chosen))


@dataclass(frozen=True)
class Collection:
    """A published dataset: its title, the URL of its description, and its servers by name, the default first."""

    title: str
    page: str
    sources: dict[str, Source]

    def source(self, name: str | None = None) -> Source:
        """Return the source of that name, or the default one."""
        if name is not None and name not in self.sources:
            raise ValueError(f"source must be one of {list(self.sources)}, got {name!r}.")
        return self.sources[name or next(iter(self.sources))]


DC2021A_TRACKS = "dt_gulfstream_{}_phy_l3_20161201-20180131_285-315_23-53.nc"
DC2021A_MAPS = "OSE_ssh_mapping_{}.nc"
#: Bytes and SHA-256 of each mission or map on the MEOM server.
_DC2021A_OBS = {
    "alg": (22496760, "40040dbf5ba8c0206ab90feb62187bf4a4ea35fc0f4746a79e6e9e1fedef2386"),
    "c2": (23604339, "9641db6101b4f082bae0d12639f9fc4e36a44d5a0f697eeb4352a74f3f1477f6"),
    "h2g": (19848868, "4cf3e569fd159f1cbbe984bf97b8759de99a29c6642a47a9fa9dde1c8d6189d1"),
    "j2g": (4142849, "18550993687115e73b11c76fcb0274a75d896d3da0d0107df49d88c84d76b56b"),
    "j2n": (6024552, "b3f37425dee13128b38694f8ca6ec4835c2304f70abe9b7cf184cb340c9c6153"),
    "j3": (23175157, "87b82fed2cb7c3e162cc1034464275dd8b6ec1292d12d842b841507fbf98bbb8"),
    "s3a": (22009976, "d36f152d62f63b681ecd4b5456292f47c2e4423f461e05fa69eae9033efdf30b"),
}
_DC2021A_MAPS = {
    "DUACS": (4684262, "8239459ea2dab859fe1f571e5eec4c51339ccc80a70485ca2439dbf6b01ae2a8"),
    "MIOST": (29804673, "e58caea7132d621542694e15ed262e0d5387243f2e60fe55e9ef594e3370a0c7"),
    "BFN": (700845764, "3cda19c91965f1d128610358b565a62bfb5f8b48e16bf47bca361db98f479ff0"),
    "4dvarNet_2022": (58412852, "f24c38ddf5bc6f26d86af2d57a096ac5207531ab0b797de77a766507c06202a1"),
    "convlstm_ssh": (58413072, "b78d3ddd5654328f5ea80e06d17a8b7eea4e9d297d9613cf97979cbf5691e682"),
    "convlstm_ssh-sst": (58413072, "27f1bb5e190b11ea4ad40fd43a0f145671348d014124aec73f20c6db494d60f5"),
    "neurost_ssh-sst": (58413072, "475cad99f1711a1f82dca51632b38dd94b88dfdc56f09c3f38a12ab56b66e4ff"),
}
#: Maps at AVISO: approximate bytes, without published checksums.
_AVISO_MAPS = {"BASELINE": 15e6, "DUACS": 4.7e6, "MIOST": 29.8e6, "DYMOST": None, "BFN": 700.8e6, "4dvarNet": None}


def _dc2021a_meom() -> Source:
    root = f"{MEOM}/MEOM/OCEAN_DATA_CHALLENGES/2021a-SSH-mapping-OSE"
    named = {f"dc_obs/{DC2021A_TRACKS.format(mission)}": known for mission, known in _DC2021A_OBS.items()}
    named |= {f"dc_maps/{DC2021A_MAPS.format(product)}": known for product, known in _DC2021A_MAPS.items()}
    return Source(root, tuple(Remote(path, path, *known) for path, known in named.items()))


def _dc2021a_aviso() -> Source:
    tracks, grids = "2021a-SSH-mapping-OSE-along-track-data", "2021a-SSH-mapping-OSE-grid-data"
    sizes: dict[str, float | None] = {
        f"{tracks}/{DC2021A_TRACKS.format(mission)}": round(size, -5) for mission, (size, _) in _DC2021A_OBS.items()
    }
    sizes |= {f"{grids}/mdt.nc": None}
    sizes |= {f"{grids}/{DC2021A_MAPS.format(product)}": size for product, size in _AVISO_MAPS.items()}
    folders = {tracks: "dc_obs", grids: "dc_maps"}
    files = [Remote(f"{folders[url.split('/')[0]]}/{url.split('/')[1]}", url, size) for url, size in sizes.items()]
    return Source(AVISO, tuple(files), account="aviso")


def _dc2020a_meom() -> Source:
    challenge, maps = "MEOM/OCEAN_DATA_CHALLENGES/2020a_SSH_mapping_NATL60", "ocean-data-challenges/dc_data1/dc_mapping"
    constellations = ("en_j1_tpn_g2", "swot_en_j1_tpn_g2")
    products = [
        f"{method}_{fleet}"
        for method in ("DUACS", "MIOST", "DYMOST_Dynamic", "BFN_Steady_State_QG1L")
        for fleet in constellations
    ] + ["4DVarNet_v2022_nadir_GF_GF", "4DVarNet_v2022_nadirswot_GF_GF"]
    names = [f"2020a_SSH_mapping_NATL60_{product}.nc" for product in products]
    archives = {"dc_obs": 285e6, "dc_ref": 11e9}
    return Source(
        MEOM,
        (
            *(Remote(folder, f"{challenge}/{folder}{ARCHIVE}", size) for folder, size in archives.items()),
            *(Remote(f"dc_mapping/{name}", f"{maps}/{name}") for name in names),
        ),
    )


DATASETS = {
    "dc2021a": Collection(
        "SSH mapping data challenge 2021a: one year of real altimetry, Gulf Stream",
        "https://github.com/ocean-data-challenges/2021a_SSH_mapping_OSE",
        {"meom": _dc2021a_meom(), "aviso": _dc2021a_aviso()},
    ),
    "dc2020a": Collection(
        "SSH mapping data challenge 2020a: simulated altimetry of the NATL60 ocean, Gulf Stream",
        "https://github.com/ocean-data-challenges/2020a_SSH_mapping_NATL60",
        {"meom": _dc2020a_meom()},
    ),
    "dc2022b": Collection(
        "SSH mapping data challenge 2022b: a quasi-geostrophic simulation and simulated altimetry",
        "https://github.com/ocean-data-challenges/2022b_SSH_QG_mapping",
        {"meom": Source(MEOM, (Remote("qg_sim.nc", "dc2022b_q/qg_sim.nc", 94 * MB),))},
    ),
}


def catalogue() -> str:
    """Return the list of datasets as text, with the sources, sizes and account of each.

    Examples
    --------
    >>> print(catalogue())
    dc2021a  SSH mapping data challenge 2021a: one year of real altimetry, Gulf Stream
             meom   14 files, 1.1 GB
             aviso  14 files, 0.9 GB and 3 of unknown size, asks for an account
    ...
    """
    lines = []
    for name, collection in DATASETS.items():
        lines.append(f"{name}  {collection.title}")
        lines += [f"{'':{len(name)}}  {key:6} {_summary(source)}" for key, source in collection.sources.items()]
    return "\n".join(lines)


def _summary(source: Source) -> str:
    known = [remote.size for remote in source.files if remote.size is not None]
    unknown = len(source.files) - len(known)
    files = f"{len(source.files)} file{'s' if len(source.files) > 1 else ''}, {sum(known) / 1e9:.1f} GB"
    files += f" and {unknown} of unknown size" if unknown else ""
    return files + (", asks for an account" if source.account else "")
