# ruff: noqa
# %% given
import copy
import inspect
import types
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


# %% solution
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(2, 1)
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        return self.l(x)


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2))
        self.head = nn.Linear(2, 3)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def train(model, loader, opt, epochs=1):
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad()
            F.mse_loss(model(x), y).backward()
            opt.step()
    return model


def fit(model, x, y, opt, loss_fn):
    model.train()
    for _ in range(3):
        opt.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        opt.step()
    return loss.item()


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        return sum(F.mse_loss(model(x), y).item() for x, y in loader)


def freeze(model):
    for p in model.parameters():
        p.requires_grad = False


def replace_head(model, n):
    model.head = nn.Linear(2, n)
    return model


def grad_of(f, x):
    x = x.clone().requires_grad_(True)
    f(x).backward()
    return x.grad


class Trainer:
    def __init__(self, model, opt):
        self.model, self.opt = model, opt

    def step(self, x, y):
        self.opt.zero_grad()
        loss = F.mse_loss(self.model(x), y)
        loss.backward()
        self.opt.step()
        return loss.item()


class DS(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return torch.ones(2) * i, torch.ones(1)


def loader():
    return torch.utils.data.DataLoader(DS(), batch_size=2)


def noisy(x):
    return x + torch.randn(3)


def drop(x):
    return F.dropout(x, 0.5)


def mx(x):
    return x.max(0)


def ident(x):
    return x


def relu(x):
    return x.clamp(min=0)


def my_linear(x, w, b):
    return x @ w.T + b


model = Net()

# %% test: output shape
assert Net()(torch.ones(3, 2)).shape == (3, 1)

# %% test: isinstance, issubclass
assert isinstance(Net(), nn.Module) and issubclass(Net, nn.Module)

# %% test: layer types
m = Net()
assert [type(c) for c in m.children()] == [nn.Linear]
assert isinstance(Deep().body[0], nn.Conv2d) and Deep().body[0].kernel_size == (3, 3)
assert sum(isinstance(x, nn.BatchNorm2d) for x in Deep().modules()) == 1

# %% test: parameter count
assert sum(p.numel() for p in Net().parameters()) == 3
assert sum(p.numel() for p in Deep().parameters() if p.requires_grad) == 33

# %% test: named parameters
assert [n for n, _ in Net().named_parameters()] == ["l.weight", "l.bias"]
assert {n: tuple(p.shape) for n, p in Net().named_parameters()} == {
    "l.weight": (1, 2),
    "l.bias": (1,),
}

# %% test: state_dict
assert set(Net().state_dict()) == {"l.weight", "l.bias", "seen"}

# %% test: parameter's properties
p = Net().l.weight
assert p.dtype == torch.float32 and isinstance(p, nn.Parameter) and p.requires_grad and p.is_leaf
assert p.shape == (1, 2) and p.size(1) == 2 and p.ndim == 2 and p.device.type == "cpu"

# %% test: same parameter
m = Net()
assert m.l.weight is m.l.weight

# %% test: hasattr
assert hasattr(Net(), "l") and not hasattr(Net(), "zz")

# %% test: gradient of a parameter
m = Net()
m(torch.ones(1, 2)).sum().backward()
assert m.l.weight.grad is not None and torch.equal(m.l.weight.grad, torch.ones(1, 2))

# %% test: gradient of an input
m = Net()
x = torch.ones(1, 2, requires_grad=True)
m(x).sum().backward()
assert torch.allclose(x.grad, m.l.weight)

# %% test: gradients add up
m = Net()
for _ in range(2):
    m(torch.ones(1, 2)).sum().backward()
assert (m.l.weight.grad == 2).all()
m.zero_grad()
assert m.l.weight.grad is None

# %% test: zero grad by hand
m = Net()
m(torch.ones(1, 2)).sum().backward()
for p in m.parameters():
    p.grad = None
assert m.l.weight.grad is None

# %% test: gradient through a history
w = torch.ones(2, requires_grad=True)
x = w * 3
relu(x).sum().backward()
assert w.grad.tolist() == [3, 3]

# %% test: compare with autograd
x = torch.randn(4, requires_grad=True)
relu(x).sum().backward()
assert torch.equal(x.grad, (x > 0).float())

# %% test: gradcheck
x = torch.randn(3, dtype=torch.double, requires_grad=True)
assert torch.autograd.gradcheck(relu, (x,))

# %% test: autograd.grad
x = torch.ones(2, requires_grad=True)
(g,) = torch.autograd.grad(relu(x).sum(), x)
assert g.tolist() == [1, 1] and x.grad is None

# %% test: autograd.grad of parameters
m = Net()
g = torch.autograd.grad(m(torch.ones(1, 2)).sum(), list(m.parameters()))
assert g[0].shape == (1, 2) and m.l.weight.grad is None

# %% test: gradient through a callback
assert torch.allclose(grad_of(lambda t: (t**2).sum(), torch.ones(2)), torch.full((2,), 2.0))

# %% test: gradient into a closure
w = torch.ones(2, requires_grad=True)
grad_of(lambda t: (t * w).sum(), torch.ones(2))
assert w.grad is not None

# %% test: weight decay by the test
m = Net()
l = m(torch.ones(1, 2)).sum() + (m.l.weight**2).sum()
l.backward()
assert torch.allclose(m.l.weight.grad, 1 + 2 * m.l.weight)

# %% test: no_grad
m = Net()
with torch.no_grad():
    y = m(torch.ones(1, 2))
assert not y.requires_grad
assert m(torch.ones(1, 2)).requires_grad

# %% test: detach, item, numpy
m = Net()
y = m(torch.ones(1, 2))
assert isinstance(y.item(), float)
assert y.detach().numpy().shape == (1, 1) and np.asarray(m.l.bias.detach()).shape == (1,)

# %% test: step by the test
m = Net()
o = torch.optim.SGD(m.parameters(), 0.1)
b = m.l.weight.clone()
m(torch.ones(1, 2)).sum().backward()
o.step()
assert torch.allclose(m.l.weight, b - 0.1)
o.zero_grad()
assert m.l.weight.grad is None

# %% test: optimizer over a generator
m = Net()
o = torch.optim.Adam((p for p in m.parameters() if p.requires_grad), lr=0.1)
assert len(o.param_groups[0]["params"]) == 2 and o.param_groups[0]["lr"] == 0.1

# %% test: loader and optimizer made by the test
m = Net()
l = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(torch.randn(8, 2), torch.randn(8, 1)), 4
)
o = torch.optim.SGD(m.parameters(), 0.1)
b = [p.clone() for p in m.parameters()]
train(m, l, o)
assert any((p != q).any() for p, q in zip(m.parameters(), b))

# %% test: model made by the test
m = nn.Linear(2, 1)
o = torch.optim.SGD(m.parameters(), 0.1)
b = m.weight.clone()
fit(m, torch.ones(4, 2), torch.zeros(4, 1), o, F.mse_loss)
assert not torch.equal(b, m.weight)
assert m.weight.grad is not None

# %% test: train and eval mode of the test's model
m = nn.Sequential(nn.Linear(2, 1), nn.Dropout())
evaluate(m, [(torch.ones(2, 2), torch.ones(2, 1))])
assert not m.training and not m[1].training


# %% test: class made by the test
class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(2, 1)

    def forward(self, x):
        return self.l(x)


m = Toy()
o = torch.optim.SGD(m.parameters(), 0.1)
b = m.l.weight.clone()
fit(m, torch.ones(4, 2), torch.zeros(4, 1), o, lambda a, b: ((a - b) ** 2).mean())
assert not torch.equal(b, m.l.weight)


# %% test: dataset made by the test
class D(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return torch.ones(2), torch.ones(1)


m = Net()
b = m.l.weight.clone()
train(m, torch.utils.data.DataLoader(D(), 2), torch.optim.SGD(m.parameters(), 0.1))
assert (m.l.weight != b).any()

# %% test: trainer keeps the test's model
m = nn.Linear(2, 1)
o = torch.optim.SGD(m.parameters(), 0.1, momentum=0.9)
t = Trainer(m, o)
b = m.weight.clone()
first = t.step(torch.ones(4, 2), torch.zeros(4, 1))
middle = m.weight.clone()
second = t.step(torch.ones(4, 2), torch.zeros(4, 1))
assert not torch.equal(b, middle) and not torch.equal(middle, m.weight) and t.model is m

# %% test: training is training
torch.manual_seed(0)
m = Net()
x = torch.randn(16, 2)
y = x @ torch.tensor([[1.0], [2.0]])
o = torch.optim.SGD(m.parameters(), 0.1)
before = F.mse_loss(m(x), y).item()
for _ in range(20):
    fit(m, x, y, o, F.mse_loss)
assert F.mse_loss(m(x), y).item() < 0.1 * before

# %% test: Dataset
d = DS()
assert len(d) == 4
x, y = d[2]
assert x.tolist() == [2, 2] and isinstance(d, torch.utils.data.Dataset)

# %% test: Dataset in the test's loader
dl = torch.utils.data.DataLoader(DS(), 2)
assert len(list(dl)) == 2
for x, y in dl:
    assert x.shape == (2, 2)

# %% test: student's loader
dl = loader()
assert len(dl) == 2 and dl.batch_size == 2
x, y = next(iter(dl))
assert x.shape == (2, 2) and torch.equal(y, torch.ones(2, 1))

# %% test: Sequential of student's
s = nn.Sequential(Net(), nn.ReLU())
assert s(torch.ones(1, 2)).shape == (1, 1)
assert len(list(s.parameters())) == 2

# %% test: replace a layer
m = Net()
m.l = nn.Linear(2, 3)
assert m(torch.ones(1, 2)).shape == (1, 3)

# %% test: replace the head, student's
m = Deep()
m = replace_head(m, 7)
assert m(torch.ones(1, 1, 4, 4)).shape == (1, 7) and m.head.out_features == 7

# %% test: replace the head of the test's model
m = nn.Sequential(nn.Linear(2, 2))
m.add_module("head", nn.Linear(2, 3))
m = replace_head(m, 7)
assert m(torch.ones(1, 2)).shape == (1, 7) and m.head.out_features == 7
assert isinstance(m.head, nn.Linear) and sum(p.numel() for p in m.head.parameters()) == 21
m(torch.ones(1, 2)).sum().backward()
assert m.head.weight.grad is not None and m[0].weight.grad is not None

# %% test: set weights by copy_
m = Net()
with torch.no_grad():
    m.l.weight.copy_(torch.ones(1, 2))
    m.l.bias.zero_()
assert m(torch.ones(1, 2)).item() == 2

# %% test: load_state_dict
m = Net()
m.load_state_dict({"l.weight": torch.ones(1, 2), "l.bias": torch.zeros(1), "seen": torch.zeros(1)})
assert m(torch.ones(1, 2)).item() == 2

# %% test: load from another
a, b = Net(), Net()
b.load_state_dict(a.state_dict())
assert torch.equal(a.l.weight, b.l.weight)

# %% test: param.data
m = Net()
m.l.weight.data[0, 0] = 4.0
m.l.bias.data.fill_(0)
assert m(torch.tensor([[1.0, 0.0]])).item() == 4

# %% test: assign a parameter
m = Net()
m.l.weight = nn.Parameter(torch.ones(1, 2))
m.l.bias.data = torch.zeros(1)
assert m(torch.ones(1, 2)).item() == 2

# %% test: state_dict write
m = Net()
sd = m.state_dict()
sd["l.bias"].zero_()
assert (m.l.bias == 0).all()

# %% test: nn.init
m = Net()
nn.init.zeros_(m.l.weight)
nn.init.constant_(m.l.bias, 2)
assert m(torch.ones(1, 2)).item() == 2

# %% test: freeze by the test
m = Net()
for p in m.parameters():
    p.requires_grad = False
assert not m(torch.ones(1, 2)).requires_grad

# %% test: freeze by the student
m = Net()
freeze(m)
assert not any(p.requires_grad for p in m.parameters())
n = nn.Linear(2, 1)
freeze(n)
assert not n.weight.requires_grad

# %% test: clip_grad_norm_
m = Net()
m(torch.ones(1, 2)).sum().backward()
nn.utils.clip_grad_norm_(m.parameters(), 0.1)
assert m.l.weight.grad.norm() < 0.11

# %% test: parameters_to_vector
m = Net()
assert nn.utils.parameters_to_vector(m.parameters()).shape == (3,)

# %% test: scheduler
m = Net()
o = torch.optim.SGD(m.parameters(), 0.1)
s = torch.optim.lr_scheduler.StepLR(o, 1, 0.5)
o.step()
s.step()
assert o.param_groups[0]["lr"] == 0.05

# %% test: eval mode
m = Deep()
m.eval()
assert not m.training and not m.body[2].training
x = torch.randn(2, 1, 4, 4)
assert torch.equal(m(x), m(x))
m.train()
assert m.training

# %% test: batch norm's statistics
m = Deep()
m(torch.randn(4, 1, 5, 5))
assert m.body[2].num_batches_tracked == 1 and m.body[2].running_mean.abs().sum() > 0

# %% test: apply
m = Deep()


def init(layer):
    if isinstance(layer, nn.Linear):
        nn.init.zeros_(layer.weight)


m.apply(init)
assert (m.head.weight == 0).all()

# %% test: forward hook
m = Net()
seen = []
h = m.l.register_forward_hook(lambda mod, i, o: seen.append(o.shape))
m(torch.ones(1, 2))
assert seen == [(1, 1)]
h.remove()
m(torch.ones(1, 2))
assert len(seen) == 1

# %% test: functional_call
m = Net()
w = {"l.weight": torch.ones(1, 2), "l.bias": torch.zeros(1)}
assert torch.func.functional_call(m, w, (torch.ones(1, 2),)).item() == 2

# %% test: deepcopy
m = Net()
c = copy.deepcopy(m)
assert c is not m and torch.equal(c.l.weight, m.l.weight)
with torch.no_grad():
    c.l.weight.zero_()
assert not torch.equal(c.l.weight, m.l.weight)

# %% test: to
m = Net().to(torch.float64)
assert m.l.weight.dtype == torch.float64 and m.double() is m

# %% test: cpu, device
m = Net().to("cpu")
assert next(m.parameters()).device == torch.device("cpu")

# %% test: global model
assert isinstance(model, Net) and model(torch.ones(1, 2)).shape == (1, 1)

# %% test: seed
torch.manual_seed(0)
a = noisy(torch.zeros(3))
torch.manual_seed(0)
b = noisy(torch.zeros(3))
assert torch.equal(a, b) and torch.equal(a, (torch.manual_seed(0), torch.randn(3))[1])

# %% test: seed, then build
torch.manual_seed(0)
a = Net()
torch.manual_seed(0)
b = Net()
assert torch.equal(a.l.weight, b.l.weight)

# %% test: seed, build, draw
torch.manual_seed(0)
m = Net()
x = torch.randn(3)
torch.manual_seed(0)
y = torch.randn(3)
assert x.shape == y.shape

# %% test: dropout differs
torch.manual_seed(0)
a = drop(torch.ones(100))
b = drop(torch.ones(100))
assert not torch.equal(a, b)

# %% test: default dtype
torch.set_default_dtype(torch.double)
try:
    assert Net().l.weight.dtype == torch.double
finally:
    torch.set_default_dtype(torch.float32)

# %% test: return_types
r = mx(torch.eye(2))
assert r.values.shape == (2,) and r[1].dtype == torch.long
v, i = mx(torch.eye(2))
assert i.tolist() == [0, 1]

# %% test: assert_close
m = Net()
torch.testing.assert_close(m.l.weight, m.l.weight.clone())
np.testing.assert_allclose(m.l.weight.detach().numpy(), m.l.weight.tolist())

# %% test: parameter arithmetic
m = Net()
x = torch.ones(4, 2)
assert torch.allclose(m(x), my_linear(x, m.l.weight, m.l.bias))
assert torch.allclose(m(x), x @ m.l.weight.T + m.l.bias)
assert m.l.weight.abs().max() < 1

# %% test: print a model
print(Net())
assert "Linear" in str(Net())

# %% test: comparison of layers
layers = [type(l).__name__ for l in Deep().body]
assert layers == ["Conv2d", "ReLU", "BatchNorm2d"]

# %% test: softmax of logits
m = Deep()
p = F.softmax(m(torch.randn(2, 1, 4, 4)), dim=1)
assert torch.allclose(p.sum(1), torch.ones(2)) and p.argmax(1).shape == (2,)

# %% test: flags of parameters that were listed before
m = Deep()
params = list(m.parameters())
assert all(p.requires_grad for p in params)
freeze(m)
assert all(not p.requires_grad for p in params)
params[0].requires_grad_()
assert params[0].requires_grad and not params[1].requires_grad

# %% test: dtype of parameters that were listed before
m = Net()
w = m.l.weight
before = w.detach().clone()
m.double()
assert w.dtype == torch.float64 and torch.allclose(w, before.double())

# %% test: values of parameters follow a step and a change through a view
m = Net()
w = m.l.weight
old = w.detach().clone()
o = torch.optim.SGD(m.parameters(), lr=0.1)
m(torch.ones(1, 2)).sum().backward()
o.step()
assert torch.allclose(w, old - 0.1) and torch.equal(w.grad, torch.ones(1, 2))
view = w.data
view[0, 0] = 7.0
assert w[0, 0] == 7 and view[0, 0] == 7
first, second = w.chunk(2, dim=1)
assert first.item() == 7 and second.shape == (1, 1)
