# ---
# about: Takes every picture that isn't for training for a test picture.
# fails:
#   test_shared_groups: "expected ['gnu'], got ['gnu', 'cup']. Picture 0 and pic"
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    learned = {groups[i] for i in train}
    asked = {groups[j] for j in range(len(groups)) if j not in train}
    return [group for group in dict.fromkeys(groups) if group in learned and group in asked]
