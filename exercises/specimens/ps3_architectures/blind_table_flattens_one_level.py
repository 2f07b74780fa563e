# ---
# about: Opens a Sequential in the network, but not one in that.
# blind: true
# fails:
#   test_layer_table: expected 11 rows
# ---

# %% solution="layer_table"
def layer_table(network, shape):
    network = copy.deepcopy(network).eval()
    first = next(network.parameters(), torch.zeros(0))
    x = torch.zeros(1, *shape, dtype=first.dtype, device=first.device)
    layers = []
    for layer in network:
        layers += list(layer) if isinstance(layer, nn.Sequential) else [layer]
    rows = []
    with torch.no_grad():
        for layer in layers:
            x = layer(x)
            count = sum(p.numel() for p in layer.parameters())
            rows.append(Row(type(layer).__name__, tuple(x.shape[1:]), count))
    return rows
