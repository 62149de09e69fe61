"""A small fixed part of tests/bench/survival: calls from 6.12 on 7.2, none in a wrong place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kpatch_rs.gitio.repository import Repository
from tests.bench.survival.calls import Site, Survey
from tests.kernel.conftest import Kernels

SAME_FILE = (
    ("kvm_vcpu_ioctl_x86_set_vcpu_events", "arch/x86/kvm/x86.c"),
    ("ext4_da_write_begin", "fs/ext4/inode.c"),
    ("copy_process", "kernel/fork.c"),
    ("shmem_put_super", "mm/shmem.c"),
    ("blk_mq_sysfs_register_hctxs", "block/blk-mq-sysfs.c"),
    ("xe_pci_remove", "drivers/gpu/drm/xe/xe_pci.c"),
    ("gpio_rcar_get_multiple", "drivers/gpio/gpio-rcar.c"),
    ("lpfc_issue_els_flogi", "drivers/scsi/lpfc/lpfc_els.c"),
    ("btrfs_relocate_block_group", "fs/btrfs/relocation.c"),
    ("line6_pcm_acquire", "sound/usb/line6/pcm.c"),
)
OTHER_FILE = (
    ("rsnd_ctu_init", "sound/soc/sh/rcar/ctu.c", "sound/soc/renesas/rcar/ctu.c"),
    ("azx_first_init", "sound/pci/hda/hda_intel.c", "sound/hda/controllers/intel.c"),
    ("write_to_ec", "drivers/hwmon/oxp-sensors.c", "drivers/platform/x86/oxpec.c"),
    ("r535_runl_block", "drivers/gpu/drm/nouveau/nvkm/engine/fifo/r535.c",
     "drivers/gpu/drm/nouveau/nvkm/subdev/gsp/rm/r535/fifo.c"),
)  # fmt: skip


def sites(rows: Sequence[tuple[str, ...]]) -> list[Site]:
    return [
        Site(name.encode(), old.encode(), (new or [old])[0].encode()) for name, old, *new in rows
    ]


@pytest.mark.parametrize("rows", [SAME_FILE, OTHER_FILE], ids=["same-file", "other-file"])
def test_calls_land(kernels: Kernels, rows: Sequence[tuple[str, ...]]) -> None:
    survey = Survey(
        kernels.repository, kernels.repository, kernels.newest["6.12"], kernels.newest["7.2"]
    )
    wanted = sites(rows)
    with Repository.open(Path(kernels.repository), kernels.environment) as trees:
        taken = survey.sample(wanted, len(wanted), trees)
        found = dict(zip(taken, survey.by_kpatch_rs(taken, trees), strict=True))
    assert set(taken) == set(wanted), "6.12 has them all"
    assert {site.name: verdict for site, verdict in found.items() if verdict != "right"} == {}
