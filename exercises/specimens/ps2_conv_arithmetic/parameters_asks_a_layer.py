# ---
# about: "Builds PyTorch's layer, without memory for its numbers, and asks how many it has."
# fails:
#   test_conv_parameters: torch.nn.modules.conv's __init__ is not available
# ---

# %% solution="conv_parameters"
def conv_parameters(in_channels, filters, kernel, bias=True):
    layer = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)[len(kernel) - 1]
    layer = layer(in_channels, filters, kernel, bias=bias, device="meta")
    return sum(parameter.numel() for parameter in layer.parameters())
