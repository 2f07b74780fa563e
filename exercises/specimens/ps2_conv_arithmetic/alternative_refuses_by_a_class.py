# ---
# about: "Refuses by a ValueError of its own, and counts places with a range."
# ---

# %% solution="output_size"
class MisfitError(ValueError):
    pass


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    for name, value in {
        "Size": size,
        "Kernel": kernel,
        "Stride": stride,
        "Dilation": dilation,
    }.items():
        if value <= 0:
            raise MisfitError(f"{name} = {value}?")
    if padding < 0:
        raise MisfitError(f"Padding = {padding}?")
    there, reach = padding + size + padding, (kernel - 1) * dilation + 1
    places = range(0, there - reach + 1, stride)
    if not places:
        raise MisfitError(f"{reach}>{there}")
    return len(places)
