# ---
# about: "Shifts are rounded fractions, so the two ends come half as often as the others."
# blind: true
# fails:
#   test_augment_chance: All should be about as likely
# ---

# %% solution="augment"
def augment(images, seed, reach=2):
    """New images (N, C, H, W), each mirrored or not and moved by up to `reach` pixels."""
    generator = torch.Generator().manual_seed(seed)
    result = []
    for picture in images:
        if torch.rand(1, generator=generator).item() < 0.5:
            picture = picture.flip(-1)
        shift = (torch.rand(2, generator=generator) * 2 - 1) * reach
        down, right = shift.round().int().tolist()
        result.append(torch.roll(picture, shifts=(down, right), dims=(1, 2)))
    return torch.stack(result)
