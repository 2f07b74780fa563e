# ---
# about: Names a group once for each of its pictures.
# fails:
#   test_shared_groups: "expected ['gnu'], got ['gnu', 'gnu']. Picture 0 and pic"
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    learned = {groups[i] for i in train}
    asked = {groups[j] for j in test}
    return [group for group in groups if group in learned and group in asked]
