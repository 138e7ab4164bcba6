"""The forward mode of torch is one for all threads. (Its maps: test_explainer.py.)"""

from concurrent.futures import ThreadPoolExecutor

import torch

from zoolens.catalog.saliency.cut import Split
from zoolens.catalog.saliency.forward_mode import contributions


def test_threads_that_differentiate_forward_do_not_disturb_each_other() -> None:
    """Each with a network of its own, as where weights are drawn at random."""
    torch.manual_seed(3)
    tail = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 3), torch.nn.ReLU6(), torch.nn.Flatten())
    with torch.no_grad():
        batches = torch.rand(2, 1, 4, 5, 5)
        splits = [Split(batch, tail(batch), tail) for batch in batches]
        alone = [contributions(split, "hirescam") for split in splits]

        def again(number: int) -> bool:
            with torch.no_grad():
                found = (contributions(splits[number], "hirescam") for _ in range(300))
                return all(torch.equal(one, alone[number]) for one in found)

        with ThreadPoolExecutor(2) as pool:
            assert [*pool.map(again, range(2))] == [True, True]
