"""The public data sets, each known by its digest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd


class DataSet(NamedTuple):
    """A file, and where its publisher has it."""

    file: str
    title: str
    source: str
    licence: str
    sha256: str


SETS: Final = {
    "german": DataSet(
        "german.data", "German credit", "https://doi.org/10.24432/C5NC77", "CC BY 4.0",
        "89c0fdec0cf49064992834e82cbb069ea316b7b0da154ffc7b7b90dadc147088",
    ),
    "taiwan": DataSet(
        "credit-default-taiwan.parquet", "Default of card holders, Taiwan", "https://doi.org/10.24432/C55S3H",
        "CC BY 4.0", "17273be978b063b097d0a10be56ce98f2c5aff8e51837171db009fd9145e26ca",
    ),
    "oil": DataSet(
        "crude-oil-prices.parquet", "Crude oil, daily spot prices", "https://www.eia.gov/petroleum/", "public domain",
        "5596dcba34909427f6ad38157cf9b8d5a17830c10405b24d76cb20e18595cea7",
    ),
    "breast": DataSet(
        "breast-cancer-wisconsin.csv", "Breast cancer, Wisconsin", "https://doi.org/10.24432/C5DW2B", "CC BY 4.0",
        "a8fd6aa3987b2ace9fb514e9d103b8aafafa7024646167508472fa611abaeb1a",
    ),
    "heart": DataSet(
        "heart-disease-cleveland.csv", "Heart disease, Cleveland", "https://doi.org/10.24432/C52P4X", "CC BY 4.0",
        "c1a68b0099f13630967e05a357aa7f856bf0b784124f9ae4a01612d5378617a9",
    ),
    "breastmnist": DataSet(
        "breastmnist.npz", "BreastMNIST, ultrasound", "https://doi.org/10.1038/s41597-022-01721-8", "CC BY 4.0",
        "3a22d2a4625e7dd8903f0f59030e81a3d0c222bece2e5e10927456cb50efdec1",
    ),
    "nuclei": DataSet(
        "nuclei-dsb2018.npz", "Cell nuclei, Data Science Bowl 2018", "https://doi.org/10.1038/s41592-019-0612-7", "CC0",
        "28560e3818f64eb718b105d94e85309cce22a1892c2f1d58cf8f1a8ef72efdd7",
    ),
    "splice": DataSet(
        "splice-junctions.parquet", "Splice junctions of primates", "https://doi.org/10.24432/C5M888", "CC BY 4.0",
        "504b3f0decbd8d4d1e07b7ac1cdbfb0dcd50f4b77e4f5efc1d854d220c741ba5",
    ),
    "mice": DataSet(
        "mice-protein.parquet", "Protein expression of mice", "https://doi.org/10.24432/C50S3Z", "CC BY 4.0",
        "51e7031dc0abe777d7037b9af5dd9a5d709cbc26bd0a7f339e07baf5de2fc7ea",
    ),
    "steel": DataSet(
        "steel-plates-faults.parquet", "Faults of steel plates", "https://doi.org/10.24432/C5J88N", "CC BY 4.0",
        "8410c88dba81d91eeda1b6bcac70464955501b2751bea8fb555c1b769d0e0f1a",
    ),
    "pitting": DataSet(
        "ballscrew-pitting.npz", "Pitting of ball screws", "https://doi.org/10.1016/j.dib.2021.107643", "CC BY-SA 4.0",
        "2cac9abcec4b34bc697f57c9aaacc273f66cd678640894190c12810e7e0c45f9",
    ),
    "milling": DataSet(
        "ai4i2020.parquet", "AI4I 2020, a milling process", "https://doi.org/10.24432/C5HS5C", "CC BY 4.0",
        "4a828ad80a416c27480188abd81e3509170978148c166443190a0a6b4689cbb5",
    ),
    "turbofan": DataSet(
        "turbofan-fd001.parquet", "Turbofan engines, FD001", "https://data.nasa.gov/", "public domain",
        "61ce30c540341e85d75d92969f971fbdd650bb0e13423cbc1e604595e3648e26",
    ),
    "hydraulic": DataSet(
        "hydraulic-condition.npz", "Condition of a hydraulic rig", "https://doi.org/10.24432/C5CW21", "CC BY 4.0",
        "2d7fecaa00a0aabce6c79b11b7b483ac3a6e7789f3d7797a8aebee26a00d9753",
    ),
    "concrete": DataSet(
        "concrete-strength.parquet", "Strength of concrete", "https://doi.org/10.24432/C5PK67", "CC BY 4.0",
        "17954f6e4e2d45621da01f42c2b45e221822f3f0368dc3823cff870e8bc1ee1f",
    ),
    "banking": DataSet(
        "banking77-train.csv", "Banking77, learnt from", "https://doi.org/10.18653/v1/2020.nlp4convai-1.5", "CC BY 4.0",
        "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
    ),
    "banking-test": DataSet(
        "banking77-test.csv", "Banking77, judged on", "https://doi.org/10.18653/v1/2020.nlp4convai-1.5", "CC BY 4.0",
        "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
    ),
    "dialogues": DataSet(
        "multidogo-finance.parquet", "MultiDoGO, dialogues with a bank", "https://doi.org/10.18653/v1/D19-1460",
        "CDLA-Permissive-1.0", "90941024b63ffb8ae6dc254d223a2d53630caf41d010b8adc3271e7eb27b5abd",
    ),
    "sentences": DataSet(
        "sentiment-sentences.parquet", "Sentiment labelled sentences", "https://doi.org/10.24432/C57604", "CC BY 4.0",
        "5b047043190c43f3417ef5b6ee1a0960788a97117003839da4239e98f6003612",
    ),
}  # fmt: skip


def folder() -> Path:
    """Where the files lie: LEPTON_DATA, or `shared/data` beside the checkout or further up."""
    named = os.environ.get("LEPTON_DATA")
    here = Path(__file__).resolve()
    folders = [Path(named)] if named else [above / "shared" / "data" for above in here.parents]
    found = next((each for each in folders if each.is_dir()), None)
    if found is None:
        raise FileNotFoundError("the public data sets are not here; name their folder in LEPTON_DATA")
    return found


@cache
def path_of(name: str) -> Path:
    """A set's file, whose digest is the one that is written here."""
    path = folder() / SETS[name].file
    found = sha256(path.read_bytes()).hexdigest()
    if found != SETS[name].sha256:
        raise ValueError(f"{path.name} is another file than was measured ({found})")
    return path


def table(name: str) -> pd.DataFrame:
    """A set of rows."""
    path = path_of(name)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".data":
        columns = [f"a{place}" for place in range(1, 21)] + ["class"]
        return pd.read_csv(path, sep=r"\s+", header=None, names=columns)
    return pd.read_csv(path)


def arrays(name: str) -> Mapping[str, npt.NDArray[Any]]:
    """A set of arrays."""
    with np.load(path_of(name), allow_pickle=False) as held:
        return dict(held)
