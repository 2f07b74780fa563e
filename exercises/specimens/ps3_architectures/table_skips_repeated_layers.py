# ---
# about: Goes through modules(), which names a layer once, however often it is used.
# fails:
#   test_layer_table: expected 11 rows
# ---

# %% solution="layer_table"
def layer_table(network, shape):
    network = copy.deepcopy(network).eval()
    sample = next(network.parameters(), torch.zeros(0))
    x = torch.zeros(1, *shape, dtype=sample.dtype, device=sample.device)
    rows = []
    with torch.no_grad():
        for layer in network.modules():
            if not isinstance(layer, nn.Sequential):
                x = layer(x)
                count = sum(value.numel() for value in layer.parameters())
                rows.append(Row(type(layer).__name__, tuple(x.shape[1:]), count))
    return rows
