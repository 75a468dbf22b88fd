import torch
from ops_torch import bernoulli_log_density, normal_log_density, standard_log_density

DIMENSION = 22


def draw(sizes):
    return {"epsilon": torch.randn(sizes["S"], DIMENSION)}


def log_joint(z, data):
    return normal_log_density(z) + bernoulli_log_density(data["labels"], z @ data["design"].T)


def mean_field(p, data, noise, sizes):
    mean, log_scale = p["phi"]["mean"], p["phi"]["logScale"]  # [1, D]
    z = mean + torch.exp(log_scale) * noise["epsilon"]
    return -torch.mean(log_joint(z, data) - standard_log_density(noise["epsilon"], log_scale))


def full_rank(p, data, noise, sizes):
    log_cholesky = p["phi"]["logCholesky"][0]
    log_diagonal = torch.diagonal(log_cholesky)
    lower = torch.tril(log_cholesky, -1) + torch.diag(torch.exp(log_diagonal))
    z = p["phi"]["mean"] + noise["epsilon"] @ lower.T
    return -torch.mean(log_joint(z, data) - standard_log_density(noise["epsilon"], log_diagonal))
