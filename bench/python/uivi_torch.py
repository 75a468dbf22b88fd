import torch
from ops_torch import banana, mlp, normal_log_density

STEP_SIZE = 0.2


def draw(sizes):
    s, steps = sizes["S"], sizes["burnIn"] + sizes["kept"]
    return {
        "own": torch.randn(s, 3),
        "within": torch.randn(s, 2),
        "momenta": torch.randn(steps, s, 3),
        "accept": torch.rand(steps, s),
    }


def hamiltonian(log_density, start, momenta, accept, leapfrogs):
    """The states of a chain for each of S rows."""

    def differentiate(x):
        if torch.compiler.is_compiling():  # one graph; through autograd it would break at every gradient
            value, back = torch.func.vjp(log_density, x)
            return value, back(torch.ones_like(value))[0]
        with torch.enable_grad():  # twice as fast as vjp where nothing is compiled
            x = x.detach().requires_grad_()
            value = log_density(x)
            return value.detach(), torch.autograd.grad(value.sum(), x)[0]

    x, states = start, []
    value, gradient = differentiate(x)
    for momentum, log_threshold in zip(momenta, torch.log(accept)):
        x1, p1, gradient1 = x, momentum + STEP_SIZE / 2 * gradient, gradient
        for i in range(leapfrogs):
            x1 = x1 + STEP_SIZE * p1
            value1, gradient1 = differentiate(x1)
            p1 = p1 + (STEP_SIZE if i < leapfrogs - 1 else STEP_SIZE / 2) * gradient1
        kinetic = 0.5 * torch.sum(momentum**2 - p1**2, 1)
        moved = log_threshold < value1 - value + kinetic
        x = torch.where(moved[:, None], x1, x)
        gradient = torch.where(moved[:, None], gradient1, gradient)
        value = torch.where(moved, value1, value)
        states.append(x)
    return states


def loss(phi, data, noise, sizes):
    own, within = noise["own"], noise["within"]
    z = mlp(phi["net"]["layers"], own, torch.relu) + torch.exp(phi["logScale"]) * within
    with torch.no_grad():
        scale, at = torch.exp(phi["logScale"]), z.detach()
        layers = [{name: tensor.detach() for name, tensor in layer.items()} for layer in phi["net"]["layers"]]

        def mean(epsilon):
            return mlp(layers, epsilon, torch.relu)

        def log_reverse(epsilon):
            return normal_log_density(at, mean(epsilon), scale) + normal_log_density(epsilon)

        chain = hamiltonian(log_reverse, own, noise["momenta"], noise["accept"], sizes["leapfrogs"])
        score = (torch.mean(mean(torch.stack(chain[-sizes["kept"] :])), 0) - at) / scale**2
    return torch.mean(torch.sum(score * z, 1) - banana(z))
