import jax.numpy as jnp
from jax import random
from ops_jax import bernoulli_log_density, log_mean_exp, mlp, normal_log_density, standard_log_density


def draw(key, sizes):
    return {"epsilon": random.normal(key, (sizes["k"], sizes["batch"], sizes["latent"]))}


def log_weights(p, data, noise):
    mean, log_scale = jnp.split(mlp(p["phi"]["layers"], data["x"], jnp.tanh), 2, -1)
    z = mean + jnp.exp(log_scale) * noise["epsilon"]
    logits = mlp(p["theta"]["layers"], z, jnp.tanh)
    log_p = normal_log_density(z) + bernoulli_log_density(data["x"], logits)
    return log_p - standard_log_density(noise["epsilon"], log_scale)


def iwae(p, data, noise, sizes):
    return -jnp.sum(log_mean_exp(log_weights(p, data, noise), 0))


def vae(p, data, noise, sizes):
    return -jnp.sum(jnp.mean(log_weights(p, data, noise), 0))
