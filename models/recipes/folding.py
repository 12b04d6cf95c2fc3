"""Batch normalisation folded into the convolution before it, laid out as tfjs has it."""
import torch


def folded_pair(conv, norm):
    """(kernel [rows, columns, in, out], bias) in double precision: what convolution and normalisation do together, in evaluation."""
    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    kernel = conv.weight.double() * gain[:, None, None, None]
    return kernel.permute(2, 3, 1, 0), norm.bias.double() - norm.running_mean.double() * gain


def folded_block(name, layers):
    """Two convolutions of a U-Net's block (convolution, norm, ReLU, twice) as (name, kernel, bias)."""
    return [(f'{name}_conv{i}', *folded_pair(layers[3 * i], layers[3 * i + 1])) for i in (0, 1)]


def folded_unet(net):
    """Every convolution of a U-Net with blocks `down` and `up` and a 1 × 1 `head`, which is called 'logits'."""
    layers = [layer for side in ('down', 'up') for level, block in enumerate(getattr(net, side)) for layer in folded_block(f'{side}{level}', block)]
    return as_arrays([*layers, ('logits', net.head.weight.double().permute(2, 3, 1, 0), net.head.bias.double())])


def as_arrays(layers):
    """(name, *tensors) -> (name, *arrays) in single precision."""
    return [(name, *(part.detach().float().contiguous().numpy() for part in parts)) for name, *parts in layers]
