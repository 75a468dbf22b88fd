import torch
from ops_torch import bernoulli_log_density, log_mean_exp, mlp, normal_log_density
from torch.nn.functional import softplus


def draw(sizes):
    shape = (sizes["batch"], sizes["latent"])
    return {"psi": torch.randn(shape), "z": torch.randn(shape), "tau": torch.randn(sizes["K"], *shape)}


def gaussian(output):
    mean, log_scale = output.chunk(2, -1)
    return mean, torch.exp(log_scale)


def conditional(p, seen, h):
    """A perceptron of (x, h) whose first layer is x A + h B + b; `seen` is x A."""
    first, *rest = p["tail"]["layers"]
    return gaussian(mlp(rest, softplus(h @ first["weights"] + (seen + first["bias"])), softplus))


def loss(p, data, noise, sizes):
    x = data["x"]
    q_psi = gaussian(mlp(p["mixing"]["layers"], x, softplus))
    psi0 = q_psi[0] + q_psi[1] * noise["psi"]
    seen = x @ p["conditional"]["fromX"]
    mean, scale = conditional(p["conditional"], seen, psi0)
    z = mean + scale * noise["z"]
    tau = conditional(p["reverse"], x @ p["reverse"]["fromX"], z)
    psi = torch.cat([psi0[None], tau[0] + tau[1] * noise["tau"]])
    q_z = conditional(p["conditional"], seen, psi)
    ratio = normal_log_density(z, *q_z) + normal_log_density(psi, *q_psi) - normal_log_density(psi, *tau)
    logits = mlp(p["decoder"]["layers"], z, softplus)
    log_p = normal_log_density(z) + bernoulli_log_density(x, logits)
    return torch.sum(log_mean_exp(ratio, 0) - log_p)
