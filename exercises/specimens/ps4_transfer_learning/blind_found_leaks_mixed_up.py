# ---
# about: The leaks of two of the data sets are mixed up when they are written down.
# blind: true
# fails:
#   test_found_leaks: 'data set A: twins is not its leak. Run your detectors on it'
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
found_leaks["A"], found_leaks["C"] = found_leaks["C"], found_leaks["A"]
