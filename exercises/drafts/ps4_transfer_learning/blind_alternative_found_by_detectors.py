# ---
# about: "Right: lets the detectors write the dictionary."
# blind: true
# ---

# %% solution="found_leaks"
def _look():
    result = {}
    for name, (pictures, kinds_of, train, test, mean, std) in make_data_sets().items():
        if near_twins(pictures, train, test, limit=0.05):
            result[name] = "twins"
        elif shared_groups(kinds_of, train, test):
            result[name] = "groups"
        elif statistics_leak(pictures, train, mean, std):
            result[name] = "statistics"
    return result


found_leaks = _look()
