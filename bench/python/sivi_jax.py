import math

import jax
import jax.numpy as jnp
from jax import random
from ops_jax import banana, mlp, normal_log_density, standard_log_density


def draw(key, sizes):
    own, within, others = random.split(key, 3)
    s = sizes["S"]
    return {
        "own": random.normal(own, (s, 3)),
        "within": random.normal(within, (s, 2)),
        "others": random.normal(others, (sizes["K"], 3)),
    }


def loss(phi, data, noise, sizes):
    scale = jnp.exp(phi["logScale"])
    z = mlp(phi["net"]["layers"], noise["own"], jax.nn.relu) + scale * noise["within"]
    others = mlp(phi["net"]["layers"], noise["others"], jax.nn.relu)
    log_own = standard_log_density(noise["within"], phi["logScale"])
    log_others = normal_log_density(z[:, None], others, scale)
    log_q = jax.nn.logsumexp(jnp.concatenate([log_own[:, None], log_others], 1), 1) - math.log(sizes["K"] + 1)
    return jnp.mean(log_q - banana(z))
