#!/usr/bin/env python3
"""The nets of model_curves.c in PyTorch's own words: model_curves_torch.py FOLDER prints a loss a step.

FOLDER holds about.json (family, its settings, optimizer), weights.safetensors (a dense layer's weight is
[in][out]) and the rows: dense, target (float32), code (int32).
"""
import json
import os
import struct
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

folder = sys.argv[1]
torch.set_num_threads(1)
about = json.load(open(os.path.join(folder, "about.json")))


def rows(name, kind, width):
    return torch.from_numpy(np.fromfile(os.path.join(folder, name), kind).reshape(-1, width).copy())


dense, codes = rows("dense", np.float32, about["dense"]), rows("code", np.int32, about["codes"]).long()
target = rows("target", np.float32, 1)

raw = open(os.path.join(folder, "weights.safetensors"), "rb").read()
length = struct.unpack("<Q", raw[:8])[0]
tensor = {}
for key, t in json.loads(raw[8:8 + length]).items():
    if key != "__metadata__":
        at = [8 + length + o for o in t["data_offsets"]]
        tensor[key] = torch.from_numpy(np.frombuffer(raw[at[0]:at[1]], np.float32).reshape(t["shape"]).copy())
used = set()


def weight(name):
    used.add(name)
    return tensor[name]


class Dense(nn.Linear):
    def __init__(self, name):
        w = weight(name + ".weight")
        super().__init__(*w.shape)
        self.weight.data, self.bias.data = w.t().contiguous(), weight(name + ".bias")


def batchnorm(name):
    n = nn.BatchNorm1d(len(weight(name + ".weight")))
    n.weight.data, n.bias.data = tensor[name + ".weight"], weight(name + ".bias")
    weight(name + ".running_mean"), weight(name + ".running_var")
    return n


def layernorm(name):
    n = nn.LayerNorm(len(weight(name + ".weight")))
    n.weight.data, n.bias.data = tensor[name + ".weight"], weight(name + ".bias")
    return n


def activation(name):
    return {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}[name]()


class Embeddings(nn.ModuleList):
    """One table a column of codes; side by side."""

    def __init__(self):
        super().__init__(nn.Embedding.from_pretrained(weight("embedding.%d.weight" % i), freeze=False)
                         for i in range(about["codes"]))

    def forward(self, c):
        return torch.cat([table(c[:, i]) for i, table in enumerate(self)], 1)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = Embeddings()
        layers = []
        for i in range(len(about["hidden"].split(","))):
            layers.append(Dense("hidden.%d" % i))
            if about["batchnorm"] == "yes":
                layers.append(batchnorm("norm.%d" % i))
            layers.append(activation(about["activation"]))
        self.layers = nn.Sequential(*layers, Dense("head"))

    def forward(self, x, c):
        return self.layers(torch.cat([x, self.embed(c)], 1))


class Resnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.first = Embeddings(), Dense("first")
        self.blocks = nn.ModuleList(
            nn.Sequential(batchnorm("block.%d.norm" % i), Dense("block.%d.in" % i), activation(about["activation"]),
                          Dense("block.%d.out" % i)) for i in range(int(about["blocks"])))
        self.head = nn.Sequential(batchnorm("norm"), activation(about["activation"]), Dense("head"))

    def forward(self, x, c):
        x = self.first(torch.cat([x, self.embed(c)], 1))
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


class Block(nn.Module):
    """Attention, then a gated layer; each added to what it was given, after a norm."""

    def __init__(self, i, last):
        super().__init__()
        name, self.last = "block.%d." % i, last
        self.norm = layernorm(name + "norm.attention") if i else nn.Identity()
        self.query, self.key, self.value = Dense(name + "query"), Dense(name + "key"), Dense(name + "value")
        self.out, self.gated = Dense(name + "out"), layernorm(name + "norm.gated")
        self.wide, self.narrow, self.act = Dense(name + "wide"), Dense(name + "narrow"), activation(about["activation"])

    def heads(self, x):
        n = int(about["heads"])
        return x.reshape(x.shape[0], x.shape[1], n, -1).transpose(1, 2)

    def forward(self, x):
        y = self.norm(x)
        asks = y[:, :1] if self.last else y
        q, k, v = self.heads(self.query(asks)), self.heads(self.key(y)), self.heads(self.value(y))
        share = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1)
        seen = (share @ v).transpose(1, 2).reshape(asks.shape)
        x = (x[:, :1] if self.last else x) + self.out(seen)
        a, b = self.wide(self.gated(x)).chunk(2, -1)
        return x + self.narrow(a * self.act(b))


class FtTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = Embeddings()
        self.number = nn.Parameter(weight("number.weight"))
        self.bias = nn.Parameter(weight("token.bias"))
        n = int(about["blocks"])
        self.blocks = nn.Sequential(*[Block(i, i == n - 1) for i in range(n)])
        self.head = nn.Sequential(layernorm("norm"), activation(about["activation"]), Dense("head"))

    def forward(self, x, c):
        size = self.bias.shape[1]
        words = self.embed(c).reshape(len(c), -1, size)
        tokens = torch.cat([torch.zeros(len(x), 1, size), x[:, :, None] * self.number, words], 1) + self.bias
        return self.head(self.blocks(tokens)[:, 0])


net = {"mlp": Mlp, "resnet": Resnet, "ft_transformer": FtTransformer}[about["family"]]()
assert used == set(tensor), set(tensor) - used

# Decay: weights of dense layers and tables, not biases, norms, nor what makes tokens.
pulled = [p for m in net.modules() if isinstance(m, (nn.Linear, nn.Embedding)) for p in [m.weight]]
left = [p for p in net.parameters() if not any(p is q for q in pulled)]
groups = [{"params": pulled, "weight_decay": about["weight_decay"]}, {"params": left, "weight_decay": 0.0}]
optimizer = {"adam": lambda: torch.optim.Adam(groups, about["lr"]),
             "adamw": lambda: torch.optim.AdamW(groups, about["lr"]),
             "sgd": lambda: torch.optim.SGD(groups, about["lr"], momentum=0.9)}[about["optimizer"]]()
loss_of = F.binary_cross_entropy_with_logits if about["binary"] else F.mse_loss
batch = about["batch"]
for step in range(about["steps"]):
    at = step * batch % (about["rows"] - batch)
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(net(dense[at:at + batch], codes[at:at + batch]), target[at:at + batch])
    loss.backward()
    optimizer.step()
    print("%.9g" % loss.item())
