"""Runs workloads in JAX: the whole step jitted, its state donated."""

import time

import autoencoder_jax
import iwhvi_jax
import jax
import jax.numpy as jnp
import logistic_jax
import numpy as np
import sivi_jax
import uivi_jax
from container import nest, start
from jax import lax, random

WORKLOADS = {
    "sivi": (sivi_jax.draw, sivi_jax.loss),
    "uivi": (uivi_jax.draw, uivi_jax.loss),
    "iwae": (autoencoder_jax.draw, autoencoder_jax.iwae),
    "vae": (autoencoder_jax.draw, autoencoder_jax.vae),
    "mean-field": (logistic_jax.draw, logistic_jax.mean_field),
    "full-rank": (logistic_jax.draw, logistic_jax.full_rank),
    "iwhvi": (iwhvi_jax.draw, iwhvi_jax.loss),
}
VARIANTS = ["jit", "loop"]
LOOP = 100  # steps in one call of the variant "loop"
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def versions():
    return f"JAX {jax.__version__}"


def adam(parameters, gradient, state):
    step = state["step"] + 1
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, state["m"], gradient)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, state["v"], gradient)
    correct1, correct2 = 1 - BETA1**step, 1 - BETA2**step
    update = lambda p, m, v: p - RATE * (m / correct1) / (jnp.sqrt(v / correct2) + EPSILON)
    return jax.tree.map(update, parameters, m, v), {"step": step, "m": m, "v": v}


def begin(file):
    name, sizes, parameters, data, noise = start(file)
    parameters, data = (jax.tree.map(jnp.array, nest(part)) for part in (parameters, data))
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    optimizer = {"step": jnp.zeros(()), "m": zeros(), "v": zeros()}
    draw, loss = WORKLOADS[name]

    def given(carried, data, noise):
        """A step whose noise is given."""
        parameters, optimizer = carried
        value, gradient = jax.value_and_grad(loss)(parameters, data, noise, sizes)
        return adam(parameters, gradient, optimizer), value

    def step(state, data):
        carried, key = state
        key, now = random.split(key)
        carried, value = given(carried, data, draw(now, sizes))
        return (carried, key), value

    return given, step, ((parameters, optimizer), random.key(1)), data, noise


def check(file, variant):
    """Losses of the first steps with the noise that the file gives, and the first gradient."""
    given, _, (carried, _), data, noise = begin(file)
    losses, gradient = [], None
    for draws in noise:
        carried, value = jax.jit(given)(carried, data, jax.tree.map(jnp.array, draws))
        losses.append(float(value))
        gradient = gradient or jax.tree.map(lambda m: np.asarray(m) / (1 - BETA1), carried[1]["m"])
    paths = jax.tree_util.tree_leaves_with_path(gradient)
    return losses, {".".join(str(getattr(k, "key", getattr(k, "idx", k))) for k in path): g for path, g in paths}


class Session:
    def __init__(self, file, variant):
        _, step, self.state, self.data, _ = begin(file)
        self.steps = LOOP if variant == "loop" else 1
        if variant == "loop":
            body = lambda data: lambda _, carry: step(carry[0], data)
            many = lambda state, data: lax.fori_loop(0, LOOP, body(data), (state, jnp.zeros(())))
            self.call = jax.jit(many, donate_argnums=0)
        else:
            self.call = jax.jit(step, donate_argnums=0)

    def step(self):
        """Milliseconds of one step."""
        begin = time.perf_counter()
        self.state, self.value = jax.block_until_ready(self.call(self.state, self.data))
        return 1e3 * (time.perf_counter() - begin) / self.steps

    def loss(self):
        return float(self.value)


def probe(name, shape):
    """A call to time."""
    if name == "matmul":
        m, k, n = shape
        a, b = random.normal(random.key(1), (m, k)), random.normal(random.key(2), (k, n))
        call = jax.jit(jnp.matmul)
        return lambda: call(a, b).block_until_ready()
    x = jnp.ones(shape if name == "memory" else ())
    call = jax.jit(lambda x: x + 1)
    return lambda: call(x).block_until_ready()
