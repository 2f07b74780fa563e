# ---
# about: Looks at the dilation only if the kernel has more than one weight.
# blind: true
# fails:
#   test_output_size_refuses: expected a ValueError
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many places a window takes along one axis (int); ValueError if that can't be."""
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    if kernel < 1:
        raise ValueError(f"kernel must be at least 1, got {kernel}")
    if stride < 1:
        raise ValueError(f"stride must be at least 1, got {stride}")
    if padding < 0:
        raise ValueError(f"padding must be at least 0, got {padding}")
    if kernel > 1 and dilation < 1:
        raise ValueError(f"dilation must be at least 1, got {dilation}")
    reach = dilation * (kernel - 1) + 1
    padded = size + 2 * padding
    if reach > padded:
        raise ValueError(f"window reaches {reach}, row has {padded}")
    return (padded - reach) // stride + 1
