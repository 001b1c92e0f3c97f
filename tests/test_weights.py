import torch

from stance.training.weights import average_weights, copy_weights


def test_the_average_of_networks_is_theirs_weight_by_weight():
    network = torch.nn.BatchNorm1d(2)  # has weights, and a counter that is no weight
    first = copy_weights(network)
    with torch.no_grad():
        network.weight.add_(1)
    second = copy_weights(network)
    assert torch.equal(first["weight"], torch.ones(2))  # a copy: later steps leave it alone
    averaged = average_weights([first, second])
    assert torch.equal(averaged["weight"], torch.full((2,), 1.5))
    assert averaged["num_batches_tracked"].dtype == torch.int64
    network.load_state_dict(averaged)


def test_the_average_of_one_is_itself():
    weights = copy_weights(torch.nn.Linear(2, 2))
    assert average_weights([weights]) is weights
