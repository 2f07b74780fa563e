# ---
# about: A group whose name is the number 0 is left out, because it counts as false.
# blind: true
# fails:
#   test_shared_groups: for groups
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    on_train = dict.fromkeys(groups[i] for i in train)
    on_test = dict.fromkeys(groups[j] for j in test)
    return [name for name in dict.fromkeys(groups) if name and name in on_train and name in on_test]
