"""Checkpoints of CLIP, ARNIQA and SqueezeNet with right names and small random numbers."""

import io
import math
import warnings

import torch


class Branch(torch.nn.Module):
    """A module that only carries parameters."""

    def forward(self, x):
        return x


def script(state):
    """A TorchScript archive whose state dict is `state`, as `torch.jit.save` writes it."""
    root = Branch()
    for name, value in state.items():
        *path, last = name.split(".")
        module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, Branch())
            module = module._modules[part]
        if value.is_floating_point():
            module.register_parameter(last, torch.nn.Parameter(value))
        else:
            module.register_buffer(last, value)
    return script_of(root)


def script_of(module):
    """What `torch.jit.save` writes of a module."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the format is what authors published
        torch.jit.save(torch.jit.script(module), buffer)
    return buffer.getvalue()


def unscript(data):
    """What torch itself reads from such an archive."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return torch.jit.load(io.BytesIO(data)).state_dict()


def saved(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def filled(model, seed):
    """The model's state with numbers that keep signals alive."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in model.state_dict().items():
        if not value.is_floating_point():
            state[name] = value
        elif name.endswith("running_var") or (value.ndim == 1 and name.endswith("weight")):
            state[name] = 0.5 + torch.rand(value.shape, generator=generator)
        elif value.ndim < 2:
            state[name] = 0.1 * torch.randn(value.shape, generator=generator)
        else:
            fan = value[0].numel()
            scale = math.sqrt(1.5 / fan)
            state[name] = scale * torch.randn(value.shape, generator=generator)
    return state


def clip(width=64, seed=4):
    """OpenAI's archive: a ResNet of one block a stage, a text half of two layers."""
    from piq.feature_extractors.clip import CLIP

    model = CLIP(48, 224, (1, 1, 1, 1), width, None, 77, 49408, 64, 1, 2)
    state = {name: value.half() for name, value in filled(model, seed).items()}
    state["token_embedding.weight"] *= 0.05  # so that the prompts differ as little as real ones
    state["logit_scale"] = torch.tensor(math.log(100.0))
    sizes = {"input_resolution": 224, "context_length": 77, "vocab_size": 49408}
    return script(state | {name: torch.tensor(n) for name, n in sizes.items()})


def arniqa(seed=5):
    """The encoder with its projector, and the regressor as a TorchScript archive."""
    import torchvision

    net = torch.nn.Sequential(*list(torchvision.models.resnet50().children())[:-1])
    state = {f"model.{name}": value for name, value in filled(net, seed).items()}
    state |= {"projector.0.weight": torch.ones(8, 2048), "projector.0.bias": torch.zeros(8)}
    generator = torch.Generator().manual_seed(seed)
    weights = 40 * torch.randn(1, 4096, generator=generator)
    return saved(state), script({"weights": weights, "biases": torch.tensor(55.0)})
