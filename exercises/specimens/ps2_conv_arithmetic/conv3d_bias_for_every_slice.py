# ---
# about: Adds up 2-D convolutions, each with the bias.
# blind: true
# fails:
#   test_conv3d: The bias is added once
# ---

# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    padded = F.pad(x, (0, 0, 0, 0, padding, padding))
    slices = []
    for s in range(output_size(x.shape[2], weight.shape[2], stride, padding, dilation)):
        parts = [
            conv2d(
                padded[:, :, s * stride + t * dilation],
                weight[:, :, t],
                bias,
                stride,
                padding,
                dilation,
            )
            for t in range(weight.shape[2])
        ]
        slices.append(sum(parts))
    return torch.stack(slices, dim=2)
