import jax
import jax.numpy as jnp
from jax import lax, random
from ops_jax import banana, mlp, normal_log_density

STEP_SIZE = 0.2


def draw(key, sizes):
    own, within, momenta, accept = random.split(key, 4)
    s, steps = sizes["S"], sizes["burnIn"] + sizes["kept"]
    return {
        "own": random.normal(own, (s, 3)),
        "within": random.normal(within, (s, 2)),
        "momenta": random.normal(momenta, (steps, s, 3)),
        "accept": random.uniform(accept, (steps, s)),
    }


def hamiltonian(log_density, start, momenta, accept, leapfrogs):
    """The states of a chain for each of S rows, [T, S, D]."""

    def differentiate(x):
        value, back = jax.vjp(log_density, x)
        return value, back(jnp.ones_like(value))[0]

    def leapfrog(i, state):
        x, p, _, gradient = state
        p = p + STEP_SIZE / 2 * gradient
        x = x + STEP_SIZE * p
        value, gradient = differentiate(x)
        return x, p + STEP_SIZE / 2 * gradient, value, gradient

    def step(here, draws):
        momentum, log_threshold = draws
        x, value, gradient = here
        x1, p1, value1, gradient1 = lax.fori_loop(0, leapfrogs, leapfrog, (x, momentum, value, gradient), unroll=True)
        kinetic = 0.5 * jnp.sum(momentum**2 - p1**2, 1)
        moved = log_threshold < value1 - value + kinetic
        x = jnp.where(moved[:, None], x1, x)
        gradient = jnp.where(moved[:, None], gradient1, gradient)
        return (x, jnp.where(moved, value1, value), gradient), x

    return lax.scan(step, (start, *differentiate(start)), (momenta, jnp.log(accept)), unroll=1)[1]


def loss(phi, data, noise, sizes):
    own, within = noise["own"], noise["within"]
    z = mlp(phi["net"]["layers"], own, jax.nn.relu) + jnp.exp(phi["logScale"]) * within
    fixed, at = lax.stop_gradient((phi, z))
    scale = jnp.exp(fixed["logScale"])

    def mean(epsilon):
        return mlp(fixed["net"]["layers"], epsilon, jax.nn.relu)

    def log_reverse(epsilon):
        return normal_log_density(at, mean(epsilon), scale) + normal_log_density(epsilon)

    chain = hamiltonian(log_reverse, own, noise["momenta"], noise["accept"], sizes["leapfrogs"])
    score = (jnp.mean(mean(chain[-sizes["kept"] :]), 0) - at) / scale**2
    return jnp.mean(jnp.sum(score * z, 1) - banana(z))
