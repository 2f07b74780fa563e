# ---
# about: "It skips padding behind the volume, but in front a negative index wraps around."
# blind: true
# fails:
#   test_conv3d: depth, height, width
# ---

# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, D, H, W) with weight (F, C, k_d, k_h, k_w), plus bias (F,)."""
    depth, k_d = x.shape[2], weight.shape[2]
    slices = output_size(depth, k_d, stride, padding, dilation)
    planes = []
    for s in range(slices):
        plane = 0
        for t in range(k_d):
            place = s * stride + t * dilation - padding
            if place < depth:
                kernel = weight[:, :, t]
                plane = plane + conv2d(x[:, :, place], kernel, None, stride, padding, dilation)
        planes.append(plane)
    result = torch.stack(planes, dim=2)
    if bias is not None:
        result = result + bias.reshape(1, -1, 1, 1, 1)
    return result
