"""What damaged packs held is written again from whole copies, and what is found nowhere stays damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, Refused

from ..cli_home import Cli


def weights(shift: float = 0.0) -> dict[str, np.ndarray]:
    fresh = np.random.default_rng(5)
    return {f"layer{n}": fresh.normal(size=(64, 64)).astype(np.float32) + np.float32(shift) for n in range(3)}


def same(manager: ModelManager, number: int) -> bool:
    found = manager.load_arrays(f"net@{number}")
    return all(found[name].tobytes() == part.tobytes() for name, part in weights((number - 1) * 1e-5).items())


@pytest.fixture
def packs(home: Path) -> list[Path]:
    """The packs of three versions, a keyframe and two deltas, in their order."""
    made: list[Path] = []
    with ModelManager(home) as manager:
        for number in range(3):
            manager.save_version(weights(number * 1e-5), name="net", files={"card": f"v{number}".encode()})
            folder = home / "objects" / "main" / "packs"
            made += [path for path in folder.rglob("*") if path.is_file() and path not in made]
    return made


def flip(pack: Path, place: int) -> None:
    data = bytearray(pack.read_bytes())
    data[place] ^= 4
    pack.chmod(0o600)
    pack.write_bytes(bytes(data))


@pytest.mark.parametrize("harm", ["gone", "halved", "flipped"])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_backup_of_the_objects_heals_what_is_damaged(
    home: Path, tmp_path: Path, packs: list[Path], lost: int, harm: str
) -> None:
    shutil.copytree(home / "objects", tmp_path / "backup")
    match harm:
        case "gone":
            packs[lost].unlink()
        case "halved":
            packs[lost].write_bytes(packs[lost].read_bytes()[:500])
        case _:
            flip(packs[lost], 200)

    with ModelManager(home) as manager:
        assert manager.fsck(events=False, projection=False) != []
        healed = manager.heal(tmp_path / "backup")

        assert [pack.missing for pack in healed.packs] == [()]
        assert manager.fsck() == []
        assert all(same(manager, number) for number in (1, 2, 3))
        assert manager.files("net@2") == {"card": b"v1"}
        assert manager.heal().packs == ()


def test_without_a_copy_what_is_whole_is_kept_and_the_rest_stays_damaged(home: Path, packs: list[Path]) -> None:
    flip(packs[0], 200)

    with ModelManager(home) as manager:
        (pack,) = manager.heal().packs

        assert len(pack.missing) == 1
        damages = manager.fsck(events=False, projection=False)
        assert any(pack.missing[0] in str(damage) for damage in damages)
        assert not any(pack.into[0] in damage.thing for damage in damages)


def test_saving_again_what_is_at_hand_and_then_healing_leaves_nothing_damaged(home: Path, packs: list[Path]) -> None:
    packs[1].unlink()

    with ModelManager(home) as manager:
        manager.branch("there", "net@2")
        manager.save_version(weights(1e-5), name="net", branch="there", files={"card": b"v1"})
        assert all(same(manager, number) for number in (1, 2, 3))
        (pack,) = manager.heal().packs

        assert pack.missing == ()
        assert manager.fsck() == []


def test_the_command_says_what_it_wrote_again_and_what_is_left(home: Path, tmp_path: Path, packs: list[Path]) -> None:
    shutil.copytree(home / "objects", tmp_path / "backup")
    packs[0].unlink()
    cli = Cli(home)

    left = cli("fsck --heal --json")
    assert left.code == 5
    assert len(left.json["healed"][0]["missing"]) > 1
    healed = cli(["fsck", "--heal", "--from", str(tmp_path / "backup"), "--json"])
    assert healed.code == 0
    assert healed.json["healed"][0]["missing"] == []
    assert healed.json["damaged"] == []
    assert cli(["fsck", "--from", str(tmp_path)]).code == 2


def test_a_place_that_is_none_is_refused(home: Path, packs: list[Path]) -> None:
    with ModelManager(home) as manager, pytest.raises(Refused, match="is no folder"):
        manager.heal(home / "nowhere")
