# ---
# about: Sets the network itself to evaluation mode.
# fails:
#   test_layer_table: changed the mode of a layer
# ---

# %% solution="layer_table"
def layer_table(network, shape):
    """A list with a Row for each layer; shape is that of one picture: (C, H, W)."""
    network = network.eval()
    sample = next(network.parameters(), torch.zeros(0))
    rows = []

    def walk(layer, x):
        if isinstance(layer, nn.Sequential):
            for inner in layer:
                x = walk(inner, x)
            return x
        x = layer(x)
        count = sum(value.numel() for value in layer.parameters())
        rows.append(Row(type(layer).__name__, tuple(x.shape[1:]), count))
        return x

    with torch.no_grad():
        walk(network, torch.zeros(1, *shape, dtype=sample.dtype, device=sample.device))
    return rows
