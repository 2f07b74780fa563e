# ---
# about: "It batches the slices with reshape alone, which mixes them up with channels."
# blind: true
# fails:
#   test_conv3d: depth, height, width
# ---

# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, D, H, W) with weight (F, C, k_d, k_h, k_w), plus bias (F,)."""
    padded = F.pad(x, (0, 0, 0, 0, padding, padding))
    n, channels, depth, height, width = padded.shape
    filters, k_d = weight.shape[0], weight.shape[2]
    slices = output_size(x.shape[2], k_d, stride, padding, dilation)
    planes = padded.reshape(n * depth, channels, height, width)
    result = 0
    for t in range(k_d):
        maps = conv2d(planes, weight[:, :, t], None, stride, padding, dilation)
        maps = maps.reshape(n, filters, depth, *maps.shape[-2:])
        first = t * dilation
        result = result + maps[:, :, first : first + stride * (slices - 1) + 1 : stride]
    if bias is not None:
        result = result + bias[:, None, None, None]
    return result
