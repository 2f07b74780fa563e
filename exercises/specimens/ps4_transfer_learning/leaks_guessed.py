# ---
# about: Mixes up two of the leaks.
# fails:
#   test_found_leaks: "data set A: twins is not its leak. Run your detectors o"
# ---

# %% solution="found_leaks"
found_leaks = {"A": "twins", "B": "statistics", "C": "groups"}
