# ---
# about: "Lets PyTorch's layer convolve."
# blind: true
# fails:
#   test_conv3d: "does a step of yours (convolution)"
# ---

# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    filters, channels, *kernel = weight.shape
    layer = torch.nn.Conv3d(channels, filters, kernel, stride, padding, dilation)
    layer.weight.data = weight
    layer.bias.data = x.new_zeros(filters) if bias is None else bias
    return layer(x).detach()
