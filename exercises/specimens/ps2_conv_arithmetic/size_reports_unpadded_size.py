# ---
# about: "It refuses rightly, but its message gives the size without padding."
# blind: true
# fails:
#   test_output_size_refuses: how many positions there are (7)
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many places a window takes along one axis (int); ValueError if that can't be."""
    settings = {"size": size, "kernel": kernel, "stride": stride, "dilation": dilation}
    for name, value in settings.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if padding < 0:
        raise ValueError(f"padding must be at least 0, got {padding}")
    reach = dilation * (kernel - 1) + 1
    steps = size + 2 * padding - reach
    if steps < 0:
        raise ValueError(f"a window that reaches over {reach} doesn't fit into {size} positions")
    return steps // stride + 1
