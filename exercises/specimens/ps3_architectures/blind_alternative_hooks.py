# ---
# about: The table by forward hooks on a copy; the shapes stay torch.Size, which is a tuple.
# blind: true
# ---

# %% solution="layer_table"
def layer_table(network, shape):
    rows, twin = [], copy.deepcopy(network)
    twin.train(mode=False)

    def write_down(layer, inputs, output):
        count = sum(map(torch.numel, layer.parameters()))
        rows.append(Row(layer.__class__.__name__, output.shape[1:], count))

    for layer in twin.modules():
        if not isinstance(layer, nn.Sequential):
            layer.register_forward_hook(write_down)
    like = next(twin.parameters(), torch.zeros(0))
    with torch.inference_mode():
        twin(like.new_zeros((1, *shape)))
    return rows
