# ---
# about: The groups come in the order of the alphabet, not that of their first occurrence.
# blind: true
# fails:
#   test_shared_groups: for groups
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    return sorted({groups[i] for i in train} & {groups[j] for j in test})
