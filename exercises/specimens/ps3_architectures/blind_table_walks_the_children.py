# ---
# about: Walks through children(), which names a layer once though it is used twice.
# blind: true
# fails:
#   test_layer_table: expected 3 rows
# ---

# %% solution="layer_table"
def layer_table(network, shape):
    network = copy.deepcopy(network).eval()
    first = next(network.parameters(), torch.zeros(0))
    x = torch.zeros(1, *shape, dtype=first.dtype, device=first.device)
    rows = []

    def walk(layer, x):
        if isinstance(layer, nn.Sequential):
            for inner in layer.children():
                x = walk(inner, x)
            return x
        x = layer(x)
        count = sum(p.numel() for p in layer.parameters())
        rows.append(Row(type(layer).__name__, tuple(x.shape[1:]), count))
        return x

    with torch.no_grad():
        walk(network, x)
    return rows
