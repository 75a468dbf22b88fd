import math

import jax
import jax.numpy as jnp


def mlp(layers, x, activation):
    for layer in layers[:-1]:
        x = activation(x @ layer["weights"] + layer["bias"])
    return x @ layers[-1]["weights"] + layers[-1]["bias"]


def normal_log_density(x, mean=0.0, scale=1.0):
    """log N(x; mean, diag scale²), summed over the last axis."""
    return jnp.sum(-0.5 * jnp.square((x - mean) / scale) - jnp.log(scale) - 0.5 * math.log(2 * math.pi), -1)


def standard_log_density(epsilon, log_scale):
    """log N(mean + scale ε; mean, diag scale²) of a draw whose ε is at hand."""
    return jnp.sum(-0.5 * jnp.square(epsilon) - log_scale - 0.5 * math.log(2 * math.pi), -1)


def bernoulli_log_density(x, logits):
    return jnp.sum(x * logits - jax.nn.softplus(logits), -1)


def log_mean_exp(x, axis):
    return jax.nn.logsumexp(x, axis) - math.log(x.shape[axis])


def banana(z):
    z1, z2 = z[..., 0], z[..., 1]
    constant = -math.log(2 * math.pi) - math.log(2)
    return -0.5 * jnp.square(z1 - z2 * z2 / 4) - 0.5 * jnp.square(z2 / 2) + constant
