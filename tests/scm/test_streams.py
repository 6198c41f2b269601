import torch

from scmlab.scm import cast, draw_world, noise, push, sample, stream


def numbers(*names, seed: int = 0) -> torch.Tensor:
    return torch.rand(1000, generator=stream(seed, *names))


def test_the_same_seed_and_names_give_the_same_numbers():
    assert torch.equal(numbers("world"), numbers("world"))
    assert torch.equal(numbers("train", 3), numbers("train", 3))


def test_streams_of_different_names_or_seeds_differ_and_do_not_correlate():
    draws = [numbers(*names, seed=s) for names in (("world",), ("train",), ("train", 3), ()) for s in (0, 1, 10)]
    stacked = torch.stack(draws).double()
    centred = (stacked - stacked.mean(1, keepdim=True)) / stacked.std(1, keepdim=True)
    correlation = centred @ centred.T / 1000**0.5
    assert correlation.fill_diagonal_(0).abs().max() < 4  # standard errors; 66 pairs


def test_names_are_kept_apart():
    different = [(0, "a", "b"), (0, "ab"), (0, "a/b"), (0, "a", "b", ""), (0, "a%2Fb"), (0, 1), (1,), (10,), (1, 0)]
    seeds = {stream(seed, *names).initial_seed() for seed, *names in different}
    assert len(seeds) == len(different)


def test_an_added_draw_in_one_stream_never_moves_another():
    world, train = stream(0, "world"), stream(0, "train")
    torch.rand(17, generator=world)
    assert torch.equal(torch.rand(1000, generator=train), numbers("train"))


def test_a_negative_seed_is_refused(refuses):
    with refuses("seed", -1):
        stream(-1, "world")


def test_the_same_seed_gives_the_same_world_and_sample_bit_for_bit(spec):
    def draw():
        world = draw_world(spec, generator=stream(3, "world"))
        return world, sample(spec, world, 50, generator=stream(3, "train"))

    (world, a), (again, b) = draw(), draw()
    assert world.keys() == again.keys()
    assert all(torch.equal(world[name], again[name]) for name in world)
    assert torch.equal(a.image, b.image)
    assert torch.equal(a.text, b.text)
    other = sample(spec, world, 50, generator=stream(4, "train"))
    assert not torch.equal(a.image, other.image)


def test_drawing_leaves_the_global_random_state_as_it_was(spec):
    before = torch.get_rng_state()
    world = draw_world(spec, generator=stream(0, "world"))
    sample(spec, world, 10, generator=stream(0, "train"))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_sample_is_the_push_of_its_noise(spec):
    world = draw_world(spec, generator=stream(0, "world"))
    s = sample(spec, world, 20, generator=stream(0, "train"))
    pushed = push(spec, world, noise(spec, 20, generator=stream(0, "train")))
    assert torch.equal(s.image, pushed.image)
    assert torch.equal(s.text, pushed.text)


def test_casting_changes_the_floating_point_tensors_only(spec):
    world = draw_world(spec, generator=stream(0, "world"))
    world["count"] = torch.tensor([1, 2])
    double = cast(world, torch.float64)
    assert double["count"].dtype == torch.int64
    assert all(t.dtype == torch.float64 for name, t in double.items() if name != "count")
    assert all(torch.equal(double[name].float(), world[name]) for name in world if name != "count")


def test_fewer_than_one_pair_is_refused(spec, refuses):
    with refuses("n", 0):
        noise(spec, 0, generator=stream(0))
