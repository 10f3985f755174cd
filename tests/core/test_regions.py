"""Every channel lies in one region, and both of its sides in the same one."""

import numpy as np

from au_mocap import channels, regions


def test_every_channel_has_a_region_and_every_region_channels() -> None:
    assert tuple(regions.REGION_OF) == channels.IDS
    assert set(regions.REGION_OF.values()) == set(regions.REGIONS)


def test_sides_and_their_mean_lie_together() -> None:
    for channel_id in channels.IDS:
        assert regions.REGION_OF[channel_id] == regions.REGION_OF[channels.mirrored(channel_id)]
    for mean_id, sides in channels.SIDES_OF.items():
        assert {regions.REGION_OF[side] for side in sides} == {regions.REGION_OF[mean_id]}


def test_columns_cover_the_vocabulary_once() -> None:
    every = np.concatenate([regions.columns(region) for region in regions.REGIONS])
    assert sorted(every) == list(range(len(channels.IDS)))
    assert channels.INDEX["eye_close_L"] in regions.columns("lids")
    assert channels.INDEX["lips_together"] in regions.columns("lips")
