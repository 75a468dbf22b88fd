import math

import torch
from ops_torch import banana, mlp, normal_log_density, standard_log_density


def draw(sizes):
    s = sizes["S"]
    return {"own": torch.randn(s, 3), "within": torch.randn(s, 2), "others": torch.randn(sizes["K"], 3)}


def loss(phi, data, noise, sizes):
    scale = torch.exp(phi["logScale"])
    z = mlp(phi["net"]["layers"], noise["own"], torch.relu) + scale * noise["within"]
    others = mlp(phi["net"]["layers"], noise["others"], torch.relu)
    log_own = standard_log_density(noise["within"], phi["logScale"])
    log_others = normal_log_density(z[:, None], others, scale)
    log_q = torch.logsumexp(torch.cat([log_own[:, None], log_others], 1), 1) - math.log(sizes["K"] + 1)
    return torch.mean(log_q - banana(z))
