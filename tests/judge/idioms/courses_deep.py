# ruff: noqa
# Idioms seen in public courses of deep learning, with tensors of the student's own and of torch.

# %% given
import copy
import inspect
import math
import os
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset as TorchData, TensorDataset
from torchvision import transforms

EPS = 1e-6

# %% solution
from abc import ABC, abstractmethod
import json


class Tensor:
    def __init__(self, data, requires_grad=False):
        self.data = np.array(data, dtype=np.float32)
        self.requires_grad = requires_grad
        self.grad = None

    shape = property(lambda self: self.data.shape)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)

    def __add__(self, other):
        return Tensor(self.data + (other.data if isinstance(other, Tensor) else other))

    def __sub__(self, other):
        return Tensor(self.data - (other.data if isinstance(other, Tensor) else other))

    def __truediv__(self, other):
        return Tensor(self.data / (other.data if isinstance(other, Tensor) else other))

    def matmul(self, other):
        if self.shape[-1] != other.shape[0]:
            raise ValueError(f"inner sizes differ: {self.shape[-1]} ≠ {other.shape[0]}")
        return Tensor(self.data @ other.data)

    def sum(self, axis=None):
        return Tensor(self.data.sum(axis=axis))


class Layer:
    def __call__(self, x):
        return self.forward(x)


class Linear(Layer):
    def __init__(self, n, m, bias=True):
        self.weight = Tensor(np.random.randn(n, m) / math.sqrt(n), requires_grad=True)
        self.bias = Tensor(np.zeros(m), requires_grad=True) if bias else None

    def forward(self, x):
        y = x.matmul(self.weight)
        return y if self.bias is None else y + self.bias

    def parameters(self):
        return [p for p in (self.weight, self.bias) if p is not None]


class ReLU(Layer):
    def forward(self, x):
        return Tensor(np.maximum(x.data, 0))

    def parameters(self):
        return []


class SGD:
    def __init__(self, params, lr=0.1, momentum=0.0):
        if not all(p.requires_grad for p in params):
            raise ValueError("needs requires_grad")
        self.params, self.lr, self.momentum = params, lr, momentum
        self.step_count, self.buffers = 0, [None for _ in params]

    def step(self):
        self.step_count += 1
        for i, p in enumerate(self.params):
            if p.grad is None:
                continue
            g = p.grad.data if isinstance(p.grad, Tensor) else p.grad
            if self.momentum:
                old = self.buffers[i]
                g = self.buffers[i] = g if old is None else self.momentum * old + g
            p.data = p.data - self.lr * g

    def zero_grad(self):
        for p in self.params:
            p.grad = None


class Dataset(ABC):
    @abstractmethod
    def __len__(self): ...

    @abstractmethod
    def __getitem__(self, i): ...


class Pairs(Dataset):
    def __init__(self, *tensors):
        if len({len(t.data) for t in tensors}) != 1:
            raise ValueError("sizes differ")
        self.tensors = tensors

    def __len__(self):
        return len(self.tensors[0].data)

    def __getitem__(self, i):
        if not 0 <= i < len(self):
            raise IndexError("out of range")
        return tuple(Tensor(t.data[i]) for t in self.tensors)


class Loader:
    def __init__(self, dataset, batch_size, shuffle=False):
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        order = list(range(len(self.dataset)))
        if self.shuffle:
            random.shuffle(order)
        for at in range(0, len(order), self.batch_size):
            items = [self.dataset[i] for i in order[at : at + self.batch_size]]
            yield tuple(Tensor([part.data for part in parts]) for parts in zip(*items))


class Trainer:
    def __init__(self, model, opt):
        self.model, self.opt, self.epoch = model, opt, 0
        self.history = {"loss": []}

    def train_epoch(self, loader):
        self.model.training = True
        total = 0.0
        for x, y in loader:
            error = self.model.forward(x).data - y.data
            total += float((error**2).mean())
            for p in self.model.parameters():
                p.grad = np.full(p.shape, 0.01)
            self.opt.step()
            self.opt.zero_grad()
        self.epoch += 1
        self.history["loss"].append(total / len(loader))
        return self.history["loss"][-1]

    def save(self, path):
        with open(path, "w") as file:
            json.dump({"epoch": self.epoch}, file)

    def load(self, path):
        with open(path) as file:
            self.epoch = json.load(file)["epoch"]


class CharTokenizer:
    def __init__(self, vocab):
        self.vocab = ["<UNK>", *vocab]

    @property
    def vocab_size(self):
        return len(self.vocab)

    def encode(self, text):
        return [self.vocab.index(c) if c in self.vocab else 0 for c in text]

    def decode(self, ids):
        return "".join(self.vocab[i] for i in ids)


def sizes(model):
    return sum(layer.weight.size for layer in model.layers if hasattr(layer, "weight"))


def halve(model):
    for layer in model.layers:
        if hasattr(layer, "weight"):
            layer.weight = Tensor(layer.weight.data / 2)


def swap(model):
    model.layers[0] = ReLU()


def enable_cache(model):
    model._cache = {"used": 0}
    model._cache_on = True
    plain = model.forward

    def forward(x):
        model._cache["used"] += 1
        return plain(x)

    model.forward = forward
    return model._cache


def disable_cache(model):
    del model._cache
    model._cache_on = False


class Net(nn.Module):
    def __init__(self, hidden=8, p=0.2):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.norm = nn.BatchNorm2d(2)
        self.drop = nn.Dropout(p)
        self.blocks = nn.ModuleList([nn.Linear(2, hidden), nn.Linear(hidden, 3)])

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x))).mean((2, 3))
        return self.blocks[1](self.drop(torch.tanh(self.blocks[0](x))))


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad


def make_mlp(*sizes):
    layers = []
    for n, m in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n, m), nn.ELU()]
    return nn.Sequential(*layers[:-1])


def loaders(xs, ys):
    data = TensorDataset(xs, ys)
    return DataLoader(data, batch_size=4, shuffle=True), DataLoader(data, batch_size=8)


def make_optimizer(model):
    return optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)


def make_scheduler(opt):
    return optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.1)


def train(model, loader, opt, loss_fn, epochs=2, verbose=False):
    history = {"loss": [], "acc": []}
    model.train()
    for epoch in range(epochs):
        losses, right, n = [], 0, 0
        for x, y in loader:
            opt.zero_grad()
            out = model(x)
            loss = loss_fn(out, y)
            loss.backward()
            opt.step()
            losses.append(loss.item())
            right += (out.argmax(1) == y).sum().item()
            n += len(y)
        history["loss"].append(sum(losses) / len(losses))
        history["acc"].append(right / n)
        if verbose:
            print(f"epoch {epoch}: loss {history['loss'][-1]:.3f}")
    return history


def collate(batch):
    xs, ys = zip(*batch)
    return torch.stack(xs) * 2, torch.tensor(ys)


def augment():
    return transforms.Compose(
        [transforms.RandomHorizontalFlip(1.0), transforms.Normalize(0.5, 0.5)]
    )


def shift(x):
    return x + 1


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.constant_(m.weight, 0.5)
        nn.init.zeros_(m.bias)


def pick(n, generator=None):
    return torch.randperm(n, generator=generator)


def save(model, path):
    torch.save(model.state_dict(), path)


def restore(model, path):
    model.load_state_dict(torch.load(path))


class Points(TorchData):
    def __init__(self, n, transform=None):
        self.n, self.transform = n, transform

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        x = torch.full((2,), float(i))
        return (self.transform(x) if self.transform else x), i % 2


loss_fn = nn.CrossEntropyLoss()
device = torch.device("cpu")
model = make_mlp(2, 4, 3)

# %% test: a tensor of the student's own
t = Tensor([[1, 2], [3, 4]])
assert t.data[0, 0] == 1.0 and t.shape == (2, 2) and t.size == 4 and t.dtype == np.float32
assert Tensor(5.0).data == 5.0 and Tensor(5.0).shape == () and t.grad is None
assert np.array_equal(t.data, np.array([[1, 2], [3, 4]], dtype=np.float32))

# %% test: arithmetic by broadcasting
a, b = Tensor([1, 2, 3]), Tensor([4, 5, 6])
assert np.array_equal((a + b).data, [5, 7, 9]) and np.array_equal((a + 10).data, [11, 12, 13])
normal = (a - 2) / 2
assert np.allclose(normal.data, [-0.5, 0, 0.5]) and isinstance(normal, Tensor)
assert np.sum(normal.data == 0) == 1 and not np.any(np.isnan(normal.data))

# %% test: a reduction, compared as a number
s = Tensor([[1, 2], [3, 4]]).sum()
assert s.data == 10.0 and s.data > 9 and np.isclose(s.data, 10) and f"{s.data:.1f}" == "10.0"
assert np.array_equal(Tensor([[1, 2], [3, 4]]).sum(axis=0).data, [4, 6])

# %% test: the message of an error
try:
    Tensor([[1, 2]]).matmul(Tensor([[1], [2], [3]]))
    assert False, "Should have raised ValueError"
except ValueError as e:
    assert "inner sizes differ" in str(e) and "2 ≠ 3" in str(e)

# %% test: parameters by identity
layer = Linear(3, 2)
params = layer.parameters()
assert len(params) == 2 and params[0] is layer.weight and params[1] is layer.bias
assert Linear(3, 2, bias=False).bias is None and all(p.requires_grad for p in params)
everything = layer.parameters() + Linear(2, 2).parameters() + ReLU().parameters()
assert len(everything) == 4 and sum(p.size for p in everything) == 14

# %% test: weights are set
layer = Linear(2, 1)
layer.weight.data = np.ones((2, 1)) * 3
layer.bias = Tensor([1.0])
assert np.allclose(layer(Tensor([[1, 2]])).data, [[10]])
other = Linear(2, 1)
other.weight = layer.weight
assert other.weight is layer.weight and np.allclose(other.weight.data, 3)

# %% test: gradients are set, a step is done
param = Tensor([1.0, 2.0], requires_grad=True)
before = param.data.copy()
opt = SGD([param], lr=0.5, momentum=0.9)
param.grad = np.array([0.2, 0.4])
opt.step()
param.grad = Tensor([0.2, 0.4])
opt.step()
assert np.allclose(param.data, before - 0.5 * np.array([0.2, 0.4]) * 2.9, atol=EPS)
assert opt.step_count == 2 and opt.buffers[0] is not None and opt.params[0] is param
opt.zero_grad()
assert param.grad is None
param.data = before.copy()
assert param.data[1] == 2
with pytest.raises(ValueError):
    SGD([Tensor([1.0])])

# %% test: shapes of several activations
for activation in [ReLU(), Linear(2, 2)]:
    out = activation.forward(Tensor([[1, -1]]))
    assert out.shape == (1, 2), f"{activation.__class__.__name__} changed the shape"
    assert isinstance(out, Tensor)


# %% test: an abstract data set
def check_dataset():
    try:
        Dataset()
        assert False, "is not abstract"
    except TypeError:
        pass

    class Words(Dataset):
        def __init__(self, n):
            self.n = n

        def __len__(self):
            return self.n

        def __getitem__(self, i):
            return f"item_{i}"

    words = Words(3)
    assert len(words) == 3 and words[2] == "item_2" and isinstance(words, Dataset)
    assert len(list(Loader(Pairs(Tensor([1, 2, 3])), 2))) == 2


if __name__ == "__main__":
    check_dataset()

# %% test: an index out of range
data = Pairs(Tensor([[1, 2], [3, 4], [5, 6]]), Tensor([0, 1, 0]))
sample = data[1]
assert len(sample) == 2 and np.array_equal(sample[0].data, [3, 4]) and sample[1].data == 1
with pytest.raises(IndexError):
    data[3]
assert len(data) == 3 and [int(y.data) for _, y in data] == [0, 1, 0]

# %% test: batches and shuffles
loader = Loader(data, batch_size=2)
batches = list(loader)
assert len(batches) == len(loader) == 2 and batches[0][0].shape == (2, 2)
assert np.array_equal(batches[1][0].data[0], [5, 6])
random.seed(42)
first = [x.data.tolist() for x, _ in Loader(data, 2, shuffle=True)]
random.seed(42)
second = [x.data.tolist() for x, _ in Loader(data, 2, shuffle=True)]
assert first == second
assert {tuple(row) for batch in first for row in batch} == {(1, 2), (3, 4), (5, 6)}


# %% test: a model of the test's own from the student's layers
class Simple:
    def __init__(self, *layers):
        self.layers = list(layers)
        self.training = False

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    __call__ = forward

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]


simple = Simple(Linear(2, 3), ReLU(), Linear(3, 1))
assert simple(Tensor([[1, 2]])).shape == (1, 1) and len(simple.parameters()) == 4
assert sizes(simple) == 9

# %% test: the student's function changes its layers
weight = simple.layers[0].weight.data.copy()
halve(simple)
assert np.allclose(simple.layers[0].weight.data, weight / 2)

# %% test: the student's function replaces a layer
swap(simple)
assert isinstance(simple.layers[0], ReLU) and sizes(simple) == 3

# %% test: a checkpoint
trainer = Trainer(Linear(2, 1), SGD([]))
trainer.epoch = 5
trainer.save("checkpoint.json")
assert os.path.exists("checkpoint.json")
trainer.epoch = 99
trainer.load("checkpoint.json")
assert trainer.epoch == 5
os.remove("checkpoint.json")
assert not os.path.exists("checkpoint.json")

# %% test: a tokenizer
tok = CharTokenizer("helo")
assert tok.vocab_size == 5 and tok.encode("hello!") == [1, 2, 3, 3, 4, 0]
assert tok.decode(tok.encode("hello")) == "hello" and all(
    isinstance(i, int) for i in tok.encode("l")
)

# %% test: layers of a sequential
layers = list(model.children())
assert isinstance(layers[0], nn.Linear) and layers[0].in_features == 2 and len(layers) == 3
assert isinstance(layers[1], nn.ELU) and layers[-1].out_features == 3
assert len(model) == 3 and model[0].weight.shape == (4, 2) and isinstance(model, nn.Sequential)
assert model[2].bias is not None and [type(m).__name__ for m in model] == [
    "Linear",
    "ELU",
    "Linear",
]
assert "model" in dir() and hasattr(model, "forward")

# %% test: a part of a sequential
assert len(model[:2]) == 2 and model[:2](torch.ones(1, 2)).shape == (1, 4)
x = torch.ones(1, 2)
for layer in model:
    x = layer(x)
assert torch.allclose(x, model(torch.ones(1, 2)))

# %% test: modules by kind and by name
net = Net()
assert any(isinstance(m, nn.Dropout) for m in net.modules())
assert [n for n, _ in net.named_children()] == ["conv", "norm", "drop", "blocks"]
assert dict(net.named_modules())["blocks.1"].out_features == 3
assert net.get_submodule("blocks.0").in_features == 2 and net.drop.p == 0.2
assert len(net.blocks) == 2 and isinstance(net.blocks, nn.ModuleList)
assert net.__class__.__name__ == "Net" and "Conv2d(1, 2" in str(net) and net.training
assert net.get_parameter("blocks.1.bias").shape == (3,)
assert {n.split(".")[0] for n in net.state_dict()} == {"conv", "norm", "blocks"}

# %% test: outputs of a net
net = Net().eval()
with torch.inference_mode():
    out = net(torch.randn(4, 1, 5, 5))
assert out.shape == torch.Size([4, 3]) and out.size() == (4, 3) and not net.training
assert torch.isfinite(out).all() and out.dtype == torch.float32
assert torch.allclose(F.softmax(out, dim=1).sum(dim=1), torch.ones(4))
assert torch.equal(net(torch.zeros(1, 1, 5, 5)), net(torch.zeros(1, 1, 5, 5)))

# %% test: a function of autograd
x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
y = Cube.apply(x)
y.sum().backward()
assert torch.allclose(x.grad, 3 * x.detach() ** 2) and y.requires_grad and y.grad_fn is not None
assert torch.autograd.gradcheck(Cube.apply, (x,)) and issubclass(Cube, torch.autograd.Function)

# %% test: loaders
xs, ys = torch.arange(24.0).reshape(12, 2), torch.arange(12) % 3
train_loader, test_loader = loaders(xs, ys)
features, labels = next(iter(train_loader))
assert features.size() == torch.Size([4, 2]) and labels.dtype == torch.long
assert len(train_loader) == 3 and train_loader.batch_size == 4 and len(train_loader.dataset) == 12
assert isinstance(test_loader, DataLoader) and torch.equal(next(iter(test_loader))[0], xs[:8])
assert isinstance(train_loader.sampler, torch.utils.data.RandomSampler)
assert set(torch.cat([y for _, y in train_loader]).unique().tolist()) == {0, 1, 2}

# %% test: an optimiser and its groups
opt = make_optimizer(model)
assert isinstance(opt, optim.SGD) and len(opt.param_groups) == 1
assert opt.param_groups[0]["lr"] == 0.05 and opt.defaults["momentum"] == 0.9
assert opt.param_groups[0]["params"][0] is next(iter(model.parameters()))
assert len(opt.param_groups[0]["params"]) == 4

# %% test: a scheduler
opt = make_optimizer(model)
sched = make_scheduler(opt)
rates = []
for _ in range(4):
    rates.append(opt.param_groups[0]["lr"])
    opt.step()
    sched.step()
assert np.allclose(rates, [0.05, 0.05, 0.005, 0.005]) and sched.get_last_lr()[0] == pytest.approx(
    5e-4
)

# %% test: a loss function
assert isinstance(loss_fn, nn.CrossEntropyLoss)
value = loss_fn(torch.zeros(2, 3), torch.tensor([0, 1]))
assert abs(value.item() - math.log(3)) < EPS and value.shape == torch.Size([])

# %% test: training is training, by the student's parts
torch.manual_seed(0)
net = make_mlp(2, 8, 3)
start = copy.deepcopy(net.state_dict())
history = train(net, train_loader, optim.Adam(net.parameters(), lr=0.01), loss_fn, epochs=5)
assert history["loss"][-1] < history["loss"][0] and len(history["acc"]) == 5
assert all(isinstance(v, float) for v in history["loss"]) and set(history) == {"loss", "acc"}
assert any(not torch.equal(start[k], v) for k, v in net.state_dict().items())
assert any(p.grad is not None for p in net.parameters())

# %% test: what training prints
import contextlib, io

out = io.StringIO()
with contextlib.redirect_stdout(out):
    train(
        make_mlp(2, 3), test_loader, make_optimizer(model), nn.CrossEntropyLoss(), 2, verbose=True
    )
assert out.getvalue().count("epoch") == 2

# %% test: overfitting a few examples
torch.manual_seed(1)
net = make_mlp(2, 16, 2)
few = [(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 1]))]
history = train(net, few, optim.Adam(net.parameters(), lr=0.05), nn.CrossEntropyLoss(), epochs=40)
assert history["acc"][-1] == 1.0 and net(few[0][0]).argmax(1).tolist() == [0, 1]

# %% test: the student's collate function in the test's loader
loader = DataLoader(Points(4), batch_size=2, collate_fn=collate)
x, y = next(iter(loader))
assert x.tolist() == [[0, 0], [2, 2]] and y.tolist() == [0, 1]

# %% test: a transform of the test's in the student's data set
data = Points(3, transform=lambda x: x * 10)
assert data[1][0].tolist() == [10, 10] and data[2][1] == 0 and len(data) == 3
pairs = transforms.Compose([shift, shift])
assert torch.equal(pairs(torch.zeros(2)), torch.full((2,), 2.0))

# %% test: a chain of transforms
chain = augment()
assert len(chain.transforms) == 2 and isinstance(
    chain.transforms[0], transforms.RandomHorizontalFlip
)
assert isinstance(chain, transforms.Compose) and chain.transforms[1].mean == 0.5
assert chain(torch.arange(4.0).reshape(1, 1, 4)).tolist() == [[[5, 3, 1, -1]]]

# %% test: apply with the student's function
net = make_mlp(2, 2, 1)
net.apply(init_weights)
assert torch.all(net[0].weight == 0.5) and net[2].bias.item() == 0
mine = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
mine.apply(init_weights)
assert torch.all(mine[0].weight == 0.5)

# %% test: a generator of torch goes in
g = torch.Generator().manual_seed(3)
a = pick(10, generator=g)
assert torch.equal(a, torch.randperm(10, generator=torch.Generator().manual_seed(3)))
assert sorted(a.tolist()) == list(range(10)) and a.dtype == torch.int64
same = torch.Generator().manual_seed(3)
torch.randperm(10, generator=same)
assert torch.equal(pick(10, generator=g), torch.randperm(10, generator=same))

# %% test: a model that is saved and restored by the student's functions
net, other = make_mlp(2, 3), make_mlp(2, 3)
save(net, "net.pt")
assert os.path.exists("net.pt")
restore(other, "net.pt")
assert torch.equal(net[0].weight, other[0].weight)

# %% test: a device
assert device.type == "cpu" and device == torch.device("cpu") and str(device) == "cpu"
assert next(model.parameters()).device == device
assert isinstance(device, torch.device) and model.to(device) is model

# %% test: the signature and the source of a method
assert list(inspect.signature(Net.forward).parameters) == ["self", "x"]
assert list(inspect.signature(Net).parameters) == ["hidden", "p"]
assert inspect.signature(train).parameters["epochs"].default == 2
assert "F.relu" in inspect.getsource(Net.forward)

# %% test: dropout is off in evaluation
net = Net(p=0.9)
x = torch.randn(8, 1, 4, 4)
net.train()
noisy = not torch.allclose(net(x), net(x))
net.eval()
assert noisy and torch.allclose(net(x), net(x))

# %% test: two nets with the same seed
torch.manual_seed(7)
one = Net()
torch.manual_seed(7)
two = Net()
assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters()))
for a, b in zip(one.state_dict().values(), two.state_dict().values()):
    torch.testing.assert_close(a, b)
