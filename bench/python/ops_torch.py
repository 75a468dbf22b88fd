import math

import torch
import torch.nn.functional as F


def mlp(layers, x, activation):
    for layer in layers[:-1]:
        x = activation(F.linear(x, layer["weights"].T, layer["bias"]))
    return F.linear(x, layers[-1]["weights"].T, layers[-1]["bias"])


def normal_log_density(x, mean=0.0, scale=None):
    """log N(x; mean, diag scale²), summed over the last axis; scale 1 if none is given."""
    if scale is None:
        return torch.sum(-0.5 * torch.square(x - mean) - 0.5 * math.log(2 * math.pi), -1)
    return torch.sum(-0.5 * torch.square((x - mean) / scale) - torch.log(scale) - 0.5 * math.log(2 * math.pi), -1)


def standard_log_density(epsilon, log_scale):
    """log N(mean + scale ε; mean, diag scale²) of a draw whose ε is at hand."""
    return torch.sum(-0.5 * torch.square(epsilon) - log_scale - 0.5 * math.log(2 * math.pi), -1)


def bernoulli_log_density(x, logits):
    return torch.sum(x * logits - F.softplus(logits), -1)


def log_mean_exp(x, axis):
    return torch.logsumexp(x, axis) - math.log(x.shape[axis])


def banana(z):
    z1, z2 = z[..., 0], z[..., 1]
    constant = -math.log(2 * math.pi) - math.log(2)
    return -0.5 * torch.square(z1 - z2 * z2 / 4) - 0.5 * torch.square(z2 / 2) + constant
