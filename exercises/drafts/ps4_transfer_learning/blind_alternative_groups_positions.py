# ---
# about: "Right: shared groups by a loop over the positions, without dict.fromkeys."
# blind: true
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    left = {groups[i] for i in train}
    right = {groups[j] for j in test}
    return sorted(left & right, key=lambda name: list(groups).index(name))
