"""Which operating points give the best AP of nuclei on training images: prints a line a pair, the best last.

    python3 models/nuclei-unet/recipe/choose.py --data ../shared/data --checkpoint nuclei-unet.pt
"""
import argparse
from pathlib import Path

import numpy as np
import torch

from dataset import read_instances, read_items, read_rgb, split
from measure import ap, matches, objects_of
from network import UNet
from picture import decided, encode

IMAGES = {'he': 16, 'fluorescence': 24}
NUCLEUS, BORDER = (0.35, 0.5, 0.6), (0.5, 0.35, 0.25, 0.15)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--checkpoint', type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    net = UNet().eval()
    net.load_state_dict(torch.load(args.checkpoint)['net'])
    seen = {}
    for kind, n in IMAGES.items():
        seen[kind] = []
        for item in split(read_items(args.data, kind))[0][:n]:
            rgb, truth = read_rgb(item.image), read_instances(item.instances)
            with torch.no_grad():
                seen[kind].append((net(encode(rgb))[0, :, :truth.shape[0], :truth.shape[1]].numpy(), truth))
    lines = []
    for points in ((n, b) for n in NUCLEUS for b in BORDER):
        values = [ap(sum(np.array(matches(objects_of(decided(logits, points), 'edge'), truth)) for logits, truth in pairs))
                  for pairs in seen.values()]
        lines.append((float(np.mean(values)), points, [round(v, 3) for v in values]))
    for mean, points, values in sorted(lines):
        print(points, round(mean, 4), dict(zip(seen, values)))


if __name__ == '__main__':
    main()
