import socket

from dltest.lab.port import FIRST, LAST, assign, is_free


def listening() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    server.listen()
    return server


def test_a_port_with_a_listener_is_not_free() -> None:
    with listening() as server:
        assert not is_free(server.getsockname()[1])


def test_ports_are_distinct_and_below_those_of_outgoing_connections() -> None:
    ports = assign(["a", "b", "c"], {}, "seed")
    assert len(set(ports.values())) == 3
    assert all(FIRST <= port <= LAST for port in ports.values())


def test_a_free_port_is_kept_and_a_taken_one_replaced() -> None:
    before = assign(["a", "b"], {}, "seed")
    with socket.create_server(("127.0.0.1", before["a"])):
        after = assign(["a", "b"], before, "seed")
    assert after["b"] == before["b"]
    assert after["a"] not in before.values()


def test_labs_in_different_folders_look_in_different_places() -> None:
    assert assign(["a"], {}, "/one/lab") != assign(["a"], {}, "/another/lab")
