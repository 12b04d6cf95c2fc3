"""Writes test/golden/saliency.json: Grad-CAM and input gradients by the real PyTorch.

    python3 test/generators/torch-saliency.py

The network and its input are those of test/golden/densenet (torch-golden.py: the same seeds), so that its weights serve
here too. Needs torch (Debian python3-torch 1.13).
"""
import base64
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import torch_networks as net  # noqa: E402

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden')
SMALL = dict(classes=3, growth=4, block_config=(2, 2, 1), features=6, bn_size=2)


def without_inplace(module):
    """An in-place ReLU would overwrite the feature map that is weighed; the numbers are the same."""
    for m in module.modules():
        if isinstance(m, torch.nn.ReLU):
            m.inplace = False
    return module


def grad_cam(score, features):
    """Selvaraju et al. 2017, equations 1 and 2, on [1, channels, rows, columns]."""
    gradient, = torch.autograd.grad(score, features, retain_graph=True)
    alpha = gradient.mean((2, 3), keepdim=True)
    return F.relu((alpha * features).sum(1))[0].tolist()


def rounded(rows):
    return [[float('%.6g' % v) for v in row] for row in rows]


def main():
    with open(os.path.join(GOLDEN, 'densenet', 'golden.json')) as f:
        golden = json.load(f)
    nhwc = np.frombuffer(base64.b64decode(golden['input']['base64']), '<f4').reshape(golden['input']['shape'])
    x = torch.from_numpy(nhwc[:1].copy()).permute(0, 3, 1, 2).contiguous().requires_grad_()

    module = without_inplace(net.randomise(net.DenseNet(**SMALL), 1))
    inner = module.features.denseblock2(module.features[:6](x))  # up to transition1
    last = F.relu(module.features.norm5(module.features.denseblock3(module.features.transition2(inner))))
    logits = module.classifier(F.adaptive_avg_pool2d(last, (1, 1)).flatten(1))
    assert np.allclose(logits.detach().numpy()[0], golden['logits'][0], rtol=1e-4, atol=1e-5), 'not the network of torch-golden.py'

    out = {'torch': torch.__version__, 'targets': []}
    for score in logits[0]:
        out['targets'].append({
            'score': float(score),
            'gradCam': {'features.relu5': rounded(grad_cam(score, last)), 'features.denseblock2.denselayer2.concat': rounded(grad_cam(score, inner))},
        })
    # One is enough, and keeps the file small.
    gradient, = torch.autograd.grad(logits[0, 1], x)
    out['inputGradient'] = {'target': 1, 'map': rounded(gradient.abs().amax(1)[0].tolist())}
    with open(os.path.join(GOLDEN, 'saliency.json'), 'w') as f:
        json.dump(out, f)
        f.write('\n')


main()
