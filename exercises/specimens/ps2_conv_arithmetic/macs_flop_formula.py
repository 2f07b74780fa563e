# ---
# about: "Asks PyTorch's flop counter for its formula."
# fails:
#   test_conv_macs: "torch.utils.flop_counter is not available"
# ---

# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    from torch.utils.flop_counter import conv_flop_count

    space = [
        output_size(i, k, stride, padding, dilation)
        for i, k in zip(in_shape[1:], kernel, strict=True)
    ]
    shapes = [1, *in_shape], [filters, in_shape[0], *kernel], [1, filters, *space]
    return conv_flop_count(*shapes) // 2
