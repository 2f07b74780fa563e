# ---
# about: Its top level has variables with names that tests like to use, and they stay as they are.
# ---

# %% solution="output_size"
case = x = kernel = weight = bias = want = got = hint = slips = generator = message = re = "mine"
shape = taps = layers = settings = name = function = calls = results = device = "mine"


def check_names():
    names = [case, x, kernel, weight, bias, want, got, hint, slips, generator, message, re]
    names += [shape, taps, layers, settings, name, function, calls, results, device]
    assert set(names) == {"mine"}


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    check_names()
    least = {"size": 1, "kernel": 1, "stride": 1, "padding": 0, "dilation": 1}
    for (name, at_least), value in zip(
        least.items(), (size, kernel, stride, padding, dilation), strict=True
    ):
        if value < at_least:
            raise ValueError(f"the {name} is {value}")
    there, reach = size + 2 * padding, dilation * (kernel - 1) + 1
    if there < reach:
        raise ValueError(f"there are {there}, and {reach} are needed")
    return (there - reach) // stride + 1


# %% solution="receptive_field"
def receptive_field(layers):
    check_names()
    jumps = [math.prod(layer.stride for layer in layers[:place]) for place in range(len(layers))]
    steps = [layer.dilation * (layer.kernel - 1) for layer in layers]
    return 1 + sum(math.prod(pair) for pair in zip(steps, jumps, strict=True))
