import torch
from ops_torch import bernoulli_log_density, log_mean_exp, mlp, normal_log_density, standard_log_density


def draw(sizes):
    return {"epsilon": torch.randn(sizes["k"], sizes["batch"], sizes["latent"])}


def log_weights(p, data, noise):
    mean, log_scale = mlp(p["phi"]["layers"], data["x"], torch.tanh).chunk(2, -1)
    z = mean + torch.exp(log_scale) * noise["epsilon"]
    logits = mlp(p["theta"]["layers"], z, torch.tanh)
    log_p = normal_log_density(z) + bernoulli_log_density(data["x"], logits)
    return log_p - standard_log_density(noise["epsilon"], log_scale)


def iwae(p, data, noise, sizes):
    return -torch.sum(log_mean_exp(log_weights(p, data, noise), 0))


def vae(p, data, noise, sizes):
    return -torch.sum(torch.mean(log_weights(p, data, noise), 0))
