# ---
# about: "It refuses 0 by its truth value, so that negative settings get through."
# blind: true
# fails:
#   test_output_size_refuses: name the setting
# ---

# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many places a window takes along one axis (int); ValueError if that can't be."""
    settings = {"size": size, "kernel": kernel, "stride": stride, "dilation": dilation}
    for name, value in settings.items():
        if not value:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if padding < 0:
        raise ValueError(f"padding must be at least 0, got {padding}")
    reach = dilation * (kernel - 1) + 1
    positions = size + 2 * padding
    if reach > positions:
        raise ValueError(f"the window reaches over {reach}, but there are {positions} positions")
    return (positions - reach) // stride + 1
